"""Why a touch earned its share: the rates of the hazard at the moment of one conversion.

The hazard gives a touch its part of the rate of conversions of its path at that moment, and the
model incremental corrects these parts for each campaign.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import polars as pl

from attribution.conversions import HOUR_US
from attribution.history_frames import eligible_paths, find_segments
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.incremental import IncrementalModel
from attribution.learned.serving import read_stored
from warehouse.attribution_config import Model
from warehouse.database import Warehouse
from warehouse.errors import ConfigError

_RATED: Final = (Model.HAZARD, Model.INCREMENTAL)
_OF_PATH: Final = ("organic_rate_per_hour", "total_rate_per_hour")
_TOLD: Final = ("model_kept", "rates_hold", "rate_per_hour", *_OF_PATH)
_ROUNDED: Final = 3  # millionths by which credit may lie from what rates come to
_OF_FIT: Final = ("model", "rules_version", "model_version", "fitted_from", "fitted_until")
_OF_CAMPAIGN: Final = ("basis", "correction")
_OF_TOUCH: Final = ("user_id", "touch_id", "campaign_id", "age_hours", "rate_per_hour", *_OF_PATH)

Row = dict[str, Any]


def with_rates(warehouse: Warehouse, conversion_id: str, credits: Sequence[Row]) -> list[Row]:
    """Return the credit of a conversion with the rates that it was divided by.

    Parameters
    ----------
    warehouse : Warehouse
        With the paths that the credit was given to.
    conversion_id : str
        The conversion.
    credits : sequence of dict
        Rows of sql/attribution/explain_credits.sql.

    Returns
    -------
    list of dict
        The rows with model_kept, rates_hold, rate_per_hour, organic_rate_per_hour and
        total_rate_per_hour (see :class:`attribution.explanation.ConversionExplanation`), and one
        row more for each touch that a hazard gave nothing, or all of whose credit was corrected
        away.
    """
    told: list[Row] = []
    for model in dict.fromkeys(row["model"] for row in credits):
        rows = [{**row, **dict.fromkeys(_TOLD)} for row in credits if row["model"] == model]
        told += _rated(warehouse, conversion_id, rows) if model in _RATED else rows
    return told


def _rated(warehouse: Warehouse, conversion_id: str, rows: Sequence[Row]) -> list[Row]:
    """Return the credit of one conversion under one such model, with rates where it is kept."""
    fit = rows[0]
    model = _kept(warehouse, Model(str(fit["model"])), fit["model_version"])
    first, last = fit["fitted_from"], fit["fitted_until"]
    if model is None or not isinstance(first, date) or not isinstance(last, date):
        return [{**row, "model_kept": False} for row in rows]
    find_segments(warehouse, first, last)
    touches = warehouse.query("attribution/explain_paths", conversion_id=conversion_id)
    users = {str(row["user_id"]) for row in rows if row["user_id"] is not None}
    rates = _rates(model, touches.filter(pl.col("user_id").is_in(users)))
    if not _hold(rows, rates):
        return [{**row, "model_kept": True, "rates_hold": False} for row in rows]
    effects = {row["campaign_id"]: row for row in model.effects().to_dicts()}
    known = {"model_kept": True, "rates_hold": True}
    kept = [{**row, **known, **_rates_of(row, rates)} for row in rows]
    earned = {(row["user_id"], row["touch_id"]) for row in rows}
    for row in rates:
        if (row["user_id"], row["touch_id"]) not in earned:
            found = effects.get(row["campaign_id"], {})
            kept.append(
                {
                    **dict.fromkeys(fit),
                    **{name: fit[name] for name in _OF_FIT},
                    **{name: found.get(name) for name in _OF_CAMPAIGN},
                    **{name: row[name] for name in _OF_TOUCH},
                    "outcome": "touch",
                    "credit_micros": 0,
                    "value_micros": 0,
                    **known,
                }
            )
    return sorted(kept, key=_place)


def _hold(rows: Sequence[Row], rates: Sequence[Row]) -> bool:
    """Return whether what is stored still comes to the credit that was given.

    A user whose activity was forgotten, or is stored otherwise since, may be of another quarter.
    """
    whole, own = dict[str, int](), dict[tuple[str, str], int]()
    for row in rows:
        whole[row["user_id"]] = whole.get(row["user_id"], 0) + row["credit_micros"]
        own[row["user_id"], row["touch_id"]] = row["credit_micros"]
    return all(
        abs(
            rate["share"] * whole[rate["user_id"]] - own.get((rate["user_id"], rate["touch_id"]), 0)
        )
        <= _ROUNDED
        for rate in rates
    )


def _rates_of(row: Row, rates: Sequence[Row]) -> Row:
    """Return the rates of the path that a row of credit is of, and of its touch if it has one."""
    of_path = [rate for rate in rates if rate["user_id"] == row["user_id"]]
    found = {name: rate[name] for rate in of_path[:1] for name in _OF_PATH}
    for rate in of_path:
        if rate["touch_id"] == row["touch_id"]:
            found["rate_per_hour"] = rate["rate_per_hour"]
    return found


def _place(row: Row) -> tuple[str, str, float, str]:
    """Return where a row stands: of each user the latest touch first."""
    age = row["age_hours"]
    return (
        str(row["outcome"]),
        str(row["user_id"] or ""),
        age if isinstance(age, float) else 0.0,
        str(row["touch_id"] or ""),
    )


def _kept(
    warehouse: Warehouse, name: Model, version: object
) -> AdditiveHazard | IncrementalModel | None:
    """Return a model; None where its body is not kept, or cannot be read."""
    key = {"model": str(name), "model_version": version}
    if warehouse.query("attribution/credit_model_body", **key).item() is None:
        return None
    try:
        model = read_stored(warehouse, name, str(version))
    except ConfigError:
        return None
    return model if isinstance(model, AdditiveHazard | IncrementalModel) else None


def _rates(model: AdditiveHazard | IncrementalModel, touches: pl.DataFrame) -> list[Row]:
    """Return the touches of paths with their shares and rates, what paths carry over counted in."""
    if touches.is_empty():
        return []
    quarters = touches.unique("path", keep="first", maintain_order=True)["quarter"]
    paths = eligible_paths(touches, quarters.to_numpy())
    hazard = model.hazard if isinstance(model, IncrementalModel) else model
    effect, organic = hazard.intensities(paths)
    rate, path = hazard.carry * effect, paths.of_touch
    total = organic + np.bincount(path, weights=rate, minlength=len(paths))
    return touches.with_columns(
        pl.Series("share", model.credit(paths)),
        pl.Series("rate_per_hour", rate),
        pl.Series("organic_rate_per_hour", organic[path]),
        pl.Series("total_rate_per_hour", total[path]),
        pl.Series("age_hours", paths.age_us / HOUR_US),
    ).to_dicts()
