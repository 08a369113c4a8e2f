"""The report ``lift``: what holdouts say that ads caused, and what speaks against believing it."""

from typing import Final

import polars as pl

from attribution.holdouts.arms import COUNTS
from attribution.holdouts.lift import estimate_lifts
from attribution.holdouts.readings import LEAST_CONTROLS
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

LIFT: Final = "lift"
_DIMENSIONS: Final = {
    "all": pl.lit("(all)"),
    "campaign": pl.col("campaign_id"),
    "advertiser": pl.col("advertiser_id"),
    "surface": pl.col("surface"),
    "segment": pl.col("segment"),
}
SHRUNK: Final = ("shrunk", "shrunk_low", "shrunk_high")
"""Conversions caused, drawn towards those of the other rows, and their 90% interval."""
_FIRST: Final = ("incremental", "low_90", "high_90", *SHRUNK)
_OTHERS: Final = ("p_value", "lift", "lift_low", "lift_high", "detectable_lift")
_SCHEMA: Final = {
    "dimension": pl.String,
    "name": pl.String,
    **dict.fromkeys(COUNTS[:4], pl.Int64),
    **dict.fromkeys(_FIRST, pl.Float64),
    "reason": pl.String,
    **dict.fromkeys(_OTHERS, pl.Float64),
    "contaminated_users": pl.Int64,
}
_ALONE: Final = "incremental rests on the hazard alone (basis none)"
_DIGITS: Final = {"p_value": 4, "lift": 3, "lift_low": 3, "lift_high": 3, "detectable_lift": 3}


def lift_report(warehouse: Warehouse) -> pl.DataFrame:
    """Return the lift of all, by campaign, advertiser, surface and segment, of 28 log days.

    They are the last ones. Intervals are of 90%; ``reason`` says what speaks against a row. Without
    any ad withheld there are no rows. The row of all campaigns is the sum of theirs, as are those
    of an advertiser or a surface: one user counts with each campaign that had an impression for
    him, whose arm was drawn apart from the others.

    Parameters
    ----------
    warehouse : Warehouse
        Where calibrated_last_touch was among the models: it notes the conversions of both arms.
    """
    counts = warehouse.query("attribution/arm_counts")
    parts = []
    for dimension, name in _DIMENSIONS.items():
        by_name = counts.group_by("campaign_id", name.alias("name")).agg(pl.col(COUNTS).sum())
        try:
            parts.append(told_lifts(by_name, by=dimension))
        except InsufficientDataError:
            return pl.DataFrame(schema=_SCHEMA)
    return pl.concat(parts).select(
        pl.col(name).round(_DIGITS.get(name, 1)) + 0.0  # no -0
        if dtype == pl.Float64
        else pl.col(name).cast(dtype)
        for name, dtype in _SCHEMA.items()
    )


def told_lifts(counts: pl.DataFrame, *, by: str) -> pl.DataFrame:
    """Return lifts of counts, shrunk figures only where any held-out user converted.

    Those of a single row are its own.

    Without such a conversion nothing says how sure the rows are that others would be drawn to.
    Parameters, columns and errors are those of :func:`estimate_lifts`.
    """
    found = estimate_lifts(counts, by=by)
    if len(found) == 1:  # nothing to be drawn towards
        found = found.with_columns(
            pl.col(own).alias(name)
            for own, name in zip(("incremental", "low_90", "high_90"), SHRUNK, strict=True)
        )
    known = pl.col("control_conversions").sum() > 0
    return found.with_columns(pl.when(known).then(pl.col(SHRUNK)))


def what_holdouts_lack(counts: pl.DataFrame) -> str:
    """Return why there are no lifts, or why a model does not rest on them; empty if nothing lacks.

    Parameters
    ----------
    counts : DataFrame
        campaign_id and the columns of :data:`attribution.holdouts.arms.COUNTS`, as
        sql/attribution/arm_counts.sql makes them.
    """
    sums = counts.group_by("campaign_id").agg(pl.col(COUNTS).sum())
    whole = sums.select(pl.col(COUNTS).sum()).row(0, named=True)
    if not whole["control_users"]:
        return (
            "no ads were withheld (arm control in touchpoints) in the last 28 log days: there are "
            f"no lifts, and {_ALONE}"
        )
    if sums.filter((pl.col("treated_users") > 0) & (pl.col("control_users") > 0)).is_empty():
        return (
            "no campaign of the last 28 log days has both users who were shown its ads and users "
            "from whom they were withheld: there are no lifts"
        )
    controls = whole["control_conversions"]
    if not controls + whole["treated_conversions"]:
        return (
            "no conversions followed an ad, shown or withheld, in the last 28 log days; "
            "calibrated_last_touch, which counts them, must be among the models"
        )
    if controls < LEAST_CONTROLS:
        return (
            f"the last 28 log days have {controls:,} conversion{'' if controls == 1 else 's'} of "
            f"users whose ads were withheld, {LEAST_CONTROLS} are needed: fitted on these days "
            f"{_ALONE}"
        )
    return ""
