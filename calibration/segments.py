"""Calibration by segment: which part of the whole is furthest from what was predicted of it.

Many segments are looked at, and of many some are far off by chance: p-values are corrected for
their number. How a segment is added up and tested, and what weights mean, is told in
``calibration/tallies``.

References
----------
Benjamini and Hochberg, "Controlling the false discovery rate", JRSS B 1995. Benjamini and
Yekutieli, "The control of the false discovery rate under dependency", Annals of Statistics 2001.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from itertools import combinations
from typing import Final

import numpy as np
import polars as pl
from scipy import stats

from calibration.errors import CalibrationError, InvalidSampleError
from calibration.options import require_choice, require_level
from calibration.tallies import key_columns, tally

_TOLD: Final = ("rows", "weight", "events", "expected", "ratio", "low", "high")


class Correction(StrEnum):
    """How p-values of many segments become q-values; the values are scipy's names."""

    BENJAMINI_HOCHBERG = "bh"
    BENJAMINI_YEKUTIELI = "by"


def calibration_by(
    frame: pl.DataFrame,
    by: str | Sequence[str],
    *,
    y_true: str = "y_true",
    y_prob: str = "y_prob",
    weight: str | None = None,
    cluster: str | None = None,
    depth: int = 1,
    min_weight: float = 30.0,
    level: float = 0.95,
    correction: Correction = Correction.BENJAMINI_HOCHBERG,
) -> pl.DataFrame:
    """Return how each segment is calibrated, worst first: by the least error its interval allows.

    Parameters
    ----------
    frame : DataFrame
        Rows of a sample.
    by : str or sequence of str
        Columns whose values are segments; a null is one too.
    y_true, y_prob, weight : str
        Columns of the sample; rows of weight 0 are as if absent.
    cluster : str, optional
        Column of what is drawn as one, such as a user; null is one cluster. The variance is then
        that of the clusters' sums of events less the segment's ratio of their predictions. It is
        taken to be at least as much above that of independent rows as in the whole frame, since
        few clusters understate it. Of fewer than five, and of clusters that do not differ at all,
        it is at least as if all rows of a cluster were the same.
    depth : int
        1 for each column alone; 2 for each pair of columns as well.
    min_weight : float
        Segments lighter than this have an interval but are not tested: p_value, q_value and
        smallest_detectable are null, and flagged is false.
    level : float
        Of the interval; 1 - level is the false discovery rate at which segments are flagged.
    correction : Correction
        Benjamini and Yekutieli's holds whatever the segments share, at a price.

    Returns
    -------
    DataFrame
        segment (such as "device=ios" or "device=ios, country is null"); rows; weight; events;
        expected; ratio (expected over events) with low and high, of which ratio and high are null
        without events and all three without either; p_value (two-sided, of "calibrated"); q_value;
        smallest_detectable (the smallest error, relative to the expected events, found with a
        probability of 80% if it is the only one; null if there is none); flagged.

    Raises
    ------
    InvalidSampleError
        If a column is missing, the sample is no sample, or an option is out of range.
    """
    by = [by] if isinstance(by, str) else list(by)
    if depth not in (1, 2) or not by or len({str(name) for name in by}) < len(by):
        raise InvalidSampleError(f"depth {depth}, by {by}: give depth 1 or 2, each column once")
    require_level(level)
    correction = require_choice(Correction, correction, "correction")
    if not min_weight >= 0:
        raise CalibrationError(f"min_weight = {min_weight}: give a weight of at least 0")
    counted = partial(tally, frame, y_true=y_true, y_prob=y_prob, weight=weight, cluster=cluster)
    least = float(counted([]).design[0]) if cluster else 0.0
    chosen = [keys for count in range(1, depth + 1) for keys in combinations(by, count)]
    tallies = [counted(keys, least_design=least) for keys in chosen]
    table = pl.concat(
        tallied.table(level)
        .with_columns(_segment(keys), p_value=tallied.p_values())
        .select("segment", *_TOLD, "p_value")
        for keys, tallied in zip(chosen, tallies, strict=True)
    ).with_columns(p_value=pl.when(pl.col("weight") >= min_weight).then("p_value"))
    tested = table["p_value"].is_not_null()
    p_values = table["p_value"].drop_nulls().to_numpy()
    significance = _first_step(1 - level, len(p_values), correction)
    detectable = np.concatenate([each.smallest_detectable(significance) for each in tallies])
    q_values = np.full(len(table), np.nan)
    if len(p_values):
        q_values[tested] = stats.false_discovery_control(p_values, method=correction.value)
    return _worst_first(
        table.with_columns(
            q_value=pl.Series(q_values).fill_nan(None),
            smallest_detectable=pl.when(tested).then(pl.Series(detectable).fill_nan(None)),
        ).with_columns(flagged=(pl.col("q_value") <= 1 - level).fill_null(False))
    )


def _segment(keys: Sequence[str]) -> pl.Expr:
    """Return the expression of the segments' names."""
    told = [
        pl.when(pl.col(held).is_null())
        .then(pl.lit(f"{key} is null"))
        .otherwise(pl.concat_str(pl.lit(f"{key}="), pl.col(held).cast(pl.String)))
        for key, held in zip(keys, key_columns(keys), strict=True)
    ]
    return pl.concat_str(told, separator=", ").alias("segment")


def _first_step(rate: float, tests: int, correction: Correction) -> float:
    """Return the p-value that flags a segment if it is the only one to be flagged."""
    if correction is Correction.BENJAMINI_YEKUTIELI:
        rate /= sum(1 / rank for rank in range(1, tests + 1)) or 1.0
    return rate / max(tests, 1)


def _worst_first(table: pl.DataFrame) -> pl.DataFrame:
    """Return the tested before the others, each by the least error that the interval allows."""
    least_error = pl.max_horizontal(0.0, pl.col("low").log(), -pl.col("high").log())
    order = [pl.col("p_value").is_null(), -least_error, pl.col("p_value"), pl.col("segment")]
    return table.sort(order, nulls_last=True)
