"""The report ``lift``: what holdouts say that ads caused, and what speaks against believing it."""

from typing import Final

import polars as pl

from attribution.holdouts.arms import COUNTS
from attribution.holdouts.lift import estimate_lifts
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

LIFT: Final = "lift"
_DIMENSIONS: Final = {
    "campaign": "campaign_id", "advertiser": "advertiser_id", "surface": "surface",
    "segment": "segment",
}  # fmt: skip
_FIGURES: Final = (
    "incremental", "low_90", "high_90", "lift", "lift_low", "lift_high", "p_value", "shrunk",
    "shrunk_low", "shrunk_high", "detectable_lift",
)  # fmt: skip
_SCHEMA: Final = {
    "dimension": pl.String,
    "name": pl.String,
    **dict.fromkeys(COUNTS[:4], pl.Int64),
    **dict.fromkeys(_FIGURES, pl.Float64),
    "reason": pl.String,
}
_DIGITS: Final = {"p_value": 4, "lift": 3, "lift_low": 3, "lift_high": 3, "detectable_lift": 3}


def lift_report(warehouse: Warehouse) -> pl.DataFrame:
    """Return the lift by campaign, advertiser, surface and segment over the last 28 log days.

    Intervals are of 90%; ``reason`` says what speaks against a row. Without any ad withheld there
    are no rows.

    Parameters
    ----------
    warehouse : Warehouse
        Where calibrated_last_touch was among the models: it notes the conversions of both arms.
    """
    counts = warehouse.query("attribution/arm_counts")
    parts = []
    for dimension, column in _DIMENSIONS.items():
        by_name = counts.group_by("campaign_id", pl.col(column).alias("name")).agg(
            pl.col(COUNTS).sum()
        )
        try:
            parts.append(estimate_lifts(by_name, by=dimension))
        except InsufficientDataError:
            return pl.DataFrame(schema=_SCHEMA)
    return pl.concat(parts).select(
        pl.col(name).round(_DIGITS.get(name, 1))
        if dtype == pl.Float64
        else pl.col(name).cast(dtype)
        for name, dtype in _SCHEMA.items()
    )
