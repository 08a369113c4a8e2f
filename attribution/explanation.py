"""Why one conversion was credited as it was."""

from dataclasses import dataclass, field
from typing import Final

import polars as pl
from pydantic import ValidationError

from attribution.conversions import HOUR_US
from attribution.eligibility import Rules, exclusions, path_rules, resolve
from attribution.explained_rates import with_rates
from warehouse.attribution_config import AttributionConfig
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError
from warehouse.refused import refused_rows, refused_where

_WINDOWS: Final = {
    "click_window_hours": "click_window_us", "engaged_view_window_hours": "engaged_view_window_us",
    "view_window_hours": "view_window_us",
}  # fmt: skip
_LEAST: Final = {"least_click_seconds": "least_click_us", "least_view_seconds": "least_view_us"}
_SECOND_US: Final = 1_000_000
_MOST_NAMED: Final = 5  # conversions of one order in an error


@dataclass(frozen=True)
class ConversionExplanation:
    """One conversion, who may have made it, the touches before it and its credit.

    Attributes
    ----------
    conversion : dict
        Its id, advertiser, event name, order, time, value, currency and status.
    signals : list of dict
        The signals that it was made of: signal_id, role, event_time, and the best match of each.
    candidates : list of dict
        The users who may have made it, the likeliest first: user_id, method, match_probability,
        declared, signal_id, and invalid: why he is no person.
    touches : list of dict
        What each candidate saw of the advertiser up to the longest window before it, of each the
        latest first: user_id, touch_id, event_time, kind, campaign_id, surface, reason and assist.
        The reason, under last_touch, is won, weaker_kind, earlier, tie_by_touch_id or
        other_click_named for those that may earn; reinstall, click_injection, click_flooding, bot,
        data_centre, outside_window, withheld_by_holdout, excluded_surface, excluded_campaign or
        not_attributed_yet for others.
    credits : list of dict
        Its rows of the table credits, under each model and of each user the latest touch first,
        with age_hours: how long before the conversion the touch was.

        - Of a model that is fitted model_version, fitted_from and fitted_until: the version that
          gave the credit, and the first and last of the log days that this was fitted on; no days
          where they are not kept.
        - Of incremental the correction of the campaign: see
          :class:`attribution.learned.incremental.IncrementalModel`.
        - Of hazard and incremental what the hazard divides by, in conversions an hour at the moment
          of the conversion: rate_per_hour of the touch, organic_rate_per_hour of what touches of
          the user did not cause, and total_rate_per_hour, the sum of all of them; model_kept, false
          where the version is not kept any more and tells no rates, and rates_hold, false where
          what is stored today does not come to that credit any more. Touches that earned nothing
          have a row too, with a credit of 0.
    rules : list of dict
        The rules that it was credited under, one for each version: rules_version, models (those
        that credited it so) and methods: for each method by which a candidate was found the method,
        click_window_hours, engaged_view_window_hours, view_window_hours, least_click_seconds and
        least_view_seconds. No methods where nobody was found, or the settings cannot be read.
    """

    conversion: dict[str, object]
    signals: list[dict[str, object]]
    candidates: list[dict[str, object]]
    touches: list[dict[str, object]]
    credits: list[dict[str, object]]
    rules: list[dict[str, object]] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {
            **self.conversion,
            "signals": self.signals,
            "candidates": self.candidates,
            "touches": self.touches,
            "credits": self.credits,
            "rules": self.rules,
        }


def explain_conversion(
    warehouse: Warehouse, conversion_id: str, config: AttributionConfig
) -> ConversionExplanation:
    """Tell why one conversion was credited as it was.

    Parameters
    ----------
    warehouse : Warehouse
        A warehouse whose days have been attributed.
    conversion_id : str
        The conversion: the id of its first signal, or of any other, or else its order id.
    config : AttributionConfig
        The rules to judge its touches by: those that were in force, as the run was given them.

    Raises
    ------
    UnknownNameError
        If no conversion has this id; where it is a signal that was refused, the message says why.
        If an order has several conversions: the message names them.
    """
    conversion = _conversion_of(warehouse, conversion_id)
    key = {"conversion_id": conversion}
    rows = warehouse.query("attribution/explain_conversion", **key)
    given = resolve(config)
    return ConversionExplanation(
        rows.row(0, named=True),
        warehouse.query("attribution/explain_signals", **key).to_dicts(),
        warehouse.query("attribution/explain_candidates", **key).to_dicts(),
        _touches(warehouse, key, given).to_dicts(),
        with_rates(
            warehouse, conversion, warehouse.query("attribution/explain_credits", **key).to_dicts()
        ),
        _rules(warehouse, key, given.version),
    )


def _conversion_of(warehouse: Warehouse, name: str) -> str:
    """Return the conversion that a signal or an order stands for; a signal comes first."""
    named = warehouse.query("attribution/conversion_of_signal", signal_id=name)
    if not named.is_empty():
        if named.item() is None:
            raise UnknownNameError(_why_none(warehouse, name, adjusts=True))
        return str(named.item())
    ordered = warehouse.query("attribution/conversions_of_order", order_id=name)
    if ordered.is_empty():
        raise UnknownNameError(_why_none(warehouse, name, adjusts=False))
    if len(ordered) > 1:
        told = [
            f"{row['conversion_id']} ({row['advertiser_id']}, {row['event_name']}, "
            f"{row['event_time']:%Y-%m-%d %H:%M})"
            for row in ordered.head(_MOST_NAMED).iter_rows(named=True)
        ]
        more = f" and {len(ordered) - _MOST_NAMED:,} more" if len(ordered) > _MOST_NAMED else ""
        raise UnknownNameError(
            f'order "{name}" in {warehouse.path} has {len(ordered):,} conversions: '
            f"{', '.join(told)}{more}. Name one of them."
        )
    return str(ordered["conversion_id"].item())


def _rules(warehouse: Warehouse, key: dict[str, str], given: str) -> list[dict[str, object]]:
    """Return the rules that a conversion was credited under, as they were stored then."""
    keys = warehouse.query("attribution/explain_rule_keys", **key)
    return [
        {
            "rules_version": row["rules_version"],
            "models": row["models"],
            "as_given": row["rules_version"] == given,
            "methods": _windows(row["settings"], keys),
        }
        for row in warehouse.query("attribution/explain_rules", **key).iter_rows(named=True)
    ]


def _windows(settings: str | None, keys: pl.DataFrame) -> list[dict[str, object]]:
    """Return the windows that stored settings give to each method."""
    if settings is None:
        return []
    try:
        rules = Rules.model_validate_json(settings)
    except ValidationError:  # settings of a version that knew other ones
        return []
    hours = {name: pl.col(column) // HOUR_US for name, column in _WINDOWS.items()}
    seconds = {name: pl.col(column) // _SECOND_US for name, column in _LEAST.items()}
    return path_rules(rules, keys).select("method", **hours, **seconds).to_dicts()


def _touches(warehouse: Warehouse, key: dict[str, str], rules: Rules) -> pl.DataFrame:
    keys = warehouse.query("attribution/explain_rule_keys", **key)
    places = exclusions(rules)
    with (
        warehouse.frame("path_rules", path_rules(rules, keys)),
        warehouse.frame("limited_advertisers", places.limited_advertisers),
        warehouse.frame("listed_values", places.listed_values),
    ):
        return warehouse.query(
            "attribution/explain_touches", **key, named_click_first=rules.named_click_first
        )


def _why_none(warehouse: Warehouse, signal_id: str, *, adjusts: bool) -> str:
    message = f'no conversion "{signal_id}" in {warehouse.path}'
    if adjusts:
        return f"{message}: the signal adjusts an order that was never seen."
    refused = refused_rows(warehouse, signal_id)
    if refused:
        return f"{message}: the signal was refused: {refused_where(refused)}"
    return (
        f"{message}. Name a signal or order of it that has been attributed; adscribe explain match "
        f"{signal_id} tells of any other."
    )
