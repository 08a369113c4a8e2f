"""Why one conversion was credited as it was."""

from dataclasses import dataclass

from attribution.credit import windows
from warehouse.config import AttributionConfig
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError
from warehouse.refused import refused_rows, refused_where

_CREDIT_COLUMNS = (
    "model", "outcome", "user_id", "touch_id", "campaign_id", "credit_micros", "value_micros",
)  # fmt: skip


@dataclass(frozen=True)
class ConversionExplanation:
    """One conversion, the signals it was made of, the touches before it and its credit.

    Attributes
    ----------
    conversion : dict
        Its id, advertiser, event name, order, time, value, currency and status.
    signals : list of dict
        The signals that it was made of: signal_id, role, event_time, and the best match of each.
    touches : list of dict
        What its user saw of the advertiser up to the longest window before it, the latest first:
        touch_id, event_time, kind, campaign_id, surface, and reason: won, weaker_kind, earlier,
        tie_by_touch_id, outside_window or withheld_by_holdout.
    credits : list of dict
        Its rows of the table credits.
    """

    conversion: dict[str, object]
    signals: list[dict[str, object]]
    touches: list[dict[str, object]]
    credits: list[dict[str, object]]

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, for JSON."""
        return {
            **self.conversion,
            "signals": self.signals,
            "touches": self.touches,
            "credits": self.credits,
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
        The conversion: the id of its first signal, or of any other.
    config : AttributionConfig
        The windows that were in force.

    Raises
    ------
    UnknownNameError
        If no conversion has this id; where it is a signal that was refused, the message says why.
    """
    named = warehouse.query("attribution/conversion_of_signal", signal_id=conversion_id)
    if named.is_empty() or named.item() is None:
        raise UnknownNameError(_why_none(warehouse, conversion_id, adjusts=not named.is_empty()))
    conversion_id = named.item()
    rows = warehouse.query("attribution/explain_conversion", conversion_id=conversion_id)
    touches = warehouse.query(
        "attribution/explain_touches", conversion_id=conversion_id, **windows(config)
    )
    signals = warehouse.query("attribution/explain_signals", conversion_id=conversion_id)
    return ConversionExplanation(
        rows.drop(_CREDIT_COLUMNS).row(0, named=True),
        signals.to_dicts(),
        touches.to_dicts(),
        rows.select(_CREDIT_COLUMNS).to_dicts(),
    )


def _why_none(warehouse: Warehouse, signal_id: str, *, adjusts: bool) -> str:
    message = f'no conversion "{signal_id}" in {warehouse.path}'
    if adjusts:
        return f"{message}: the signal adjusts an order that was never seen."
    refused = refused_rows(warehouse, signal_id)
    if refused:
        return f"{message}: the signal was refused: {refused_where(refused)}"
    return (
        f"{message}. Name a signal of it that has been attributed; adscribe explain match "
        f"{signal_id} tells of any other."
    )
