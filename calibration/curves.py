"""What happened where a probability was claimed: curves of the observed rate, as frames.

Each curve is the rate of events as a function of the probability that was predicted: by blocks
(isotonic), by bins, or smoothed. Weights say how much a row counts. A rate is the same whether a
row has weight 2 or stands twice. An interval is not: it knows the weight of a row only as its
importance, so that scaling all weights changes nothing, and it counts
``(sum w)² / sum w²`` independent rows (Kish's effective sample size).

References
----------
Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic classifiers",
PNAS 2021, for the isotonic curve (CORP).
Wilson, "Probable inference, the law of succession, and statistical inference", JASA 1927, for the
interval of a rate; Brown, Cai and DasGupta, "Interval estimation for a binomial proportion",
Statistical Science 2001, for why that one.
Kish, Survey Sampling, 1965, for the effective sample size.
Błasiok and Nakkiran, "Smooth ECE: principled reliability diagrams via kernel smoothing", ICLR 2024,
for the reflected kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import norm

from calibration.binned_errors import Binning, equal_width_bin
from calibration.cells import Cells
from calibration.errors import CalibrationError
from calibration.kernels import NARROWEST, default_bandwidth, effective_rows, smooth
from calibration.options import require_choice, require_level, require_whole
from calibration.ranks import gather, isotonic_blocks
from calibration.rows import parts
from calibration.samples import Floats, Sample, as_floats

LEVEL: Final = 0.95
_FEWEST: Final = 10.0  # effective rows below which Wilson's interval holds less than it says


def isotonic_curve(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> pl.DataFrame:
    """Return the rate of events as a rising function of the probability (CORP), by blocks.

    The rates are the isotonic regression of the outcomes on the probabilities: the rising function
    that fits them best, without any bin to choose. Scores that are all equal give one block, as do
    outcomes of one class. ``bands`` has the intervals.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.

    Returns
    -------
    DataFrame
        A row for each block, ascending: lowest and highest, the probabilities between which its
        rows lie; rate, the recalibrated probability; weight and events, sums of its rows.

    Raises
    ------
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    blocks = isotonic_blocks(Sample.of(y_true, y_prob, weight))
    names = ("lowest", "highest", "rate", "weight", "events")
    return pl.DataFrame({name: getattr(blocks, name) for name in names})


def binned_curve(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bins: int = 15,
    binning: Binning = Binning.EQUAL_WIDTH,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return the rate of events in bins of the probability, each with an interval.

    The interval is Wilson's of a rate, of as many rows as the bin effectively has. It is of the
    mean rate in the bin, which is not the rate at its mean probability where the curve bends.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    bins : int
        How many, at most. Bins without rows are left out.
    binning : Binning
        Bins of one width between 0 and 1, each with its lower but without its upper end; or of one
        weight, in which rows of one score stay together, so that heavy ties make fewer bins.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        A row for each bin, ascending: lowest and highest, its ends (of one weight: its lowest and
        highest score); probability, the mean of its scores; rate, low and high; weight and events.

    Raises
    ------
    CalibrationError
        If bins is below 1, or the level not between 0 and 1.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    bins = require_whole(bins, "bins")
    if require_choice(Binning, binning, "binning") is Binning.EQUAL_MASS:
        cells = gather(sample, bins)
    else:
        ends = np.arange(bins + 1) / bins
        cells = _between(sample, ends, lambda score: equal_width_bin(score, bins))
        cells = cells.part(cells.weight > 0)
    low, high = rate_interval(cells.rate, cells.weight**2 / cells.square, level)
    return pl.DataFrame(
        {
            "lowest": cells.lowest,
            "highest": cells.highest,
            "probability": cells.expected / cells.weight,
            "rate": cells.rate,
            "low": low,
            "high": high,
            "weight": cells.weight,
            "events": cells.events,
        }
    )


def smoothed_curve(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bandwidth: float | None = None,
    points: int | npt.ArrayLike = 200,
    level: float = LEVEL,
) -> pl.DataFrame:
    """Return the rate of events, smoothed with a Gaussian kernel reflected at 0 and 1.

    What is smoothed is the outcome less the probability, so that a calibrated forecast is not bent
    where its scores are uneven. The interval is Wilson's, of as many rows as the kernel effectively
    weighs. It holds pointwise, and leaves out the bias of smoothing, which the default bandwidth
    keeps small where the curve does not bend within it. Where few scores are, as among the highest
    of rare events, the default bandwidth is made wider until 30 rows are effectively within it, but
    not beyond an eighth of the distance from 0 and 1; where even that finds fewer than ten (or than
    half of a small sample), nothing is told.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    bandwidth : float, optional
        Standard deviation of the kernel, at least 0.00002. When omitted, that of the scores by the
        fourth root of the effective number of rows, and wider where scores are few. One that is
        given is the same everywhere.
    points : int or array_like
        Where the curve is wanted, or at how many points, evenly from the lowest to the highest
        score.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        A row for each point: probability; rate, low and high, null where no row, or by the default
        bandwidth too few, are near; rows, the effective number of rows behind the rate, at most all
        that weigh anything.

    Raises
    ------
    CalibrationError
        If the bandwidth is too small, a point outside [0, 1], or the level not between 0 and 1.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    width = default_bandwidth(sample) if bandwidth is None else bandwidth
    if not NARROWEST <= width < np.inf:
        raise CalibrationError(f"bandwidth = {width}: give at least {NARROWEST}")
    places = points_within(sample, points)
    difference, rows = smooth(sample, width, places, widened=bandwidth is None)
    if bandwidth is None:
        difference[rows < min(_FEWEST, effective_rows(sample) / 2)] = np.nan
    rate = np.clip(places + difference, 0, 1)
    low, high = rate_interval(rate, np.where(np.isnan(rate), 0.0, rows), level)
    columns = {"probability": places, "rate": rate, "low": low, "high": high, "rows": rows}
    return pl.DataFrame(columns).with_columns(pl.col("rate", "low", "high").fill_nan(None))


def score_histogram(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bins: int | npt.ArrayLike = 40,
) -> pl.DataFrame:
    """Return how much weight has a score in each bin; bins without rows are there, with 0.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    bins : int or array_like
        How many of one width between 0 and 1, or their ends, ascending. A bin has its lower end but
        not its upper one, except the last.

    Returns
    -------
    DataFrame
        A row for each bin: lowest and highest, its ends; weight and events, sums of its rows;
        share, of all weight.

    Raises
    ------
    CalibrationError
        If there is no bin, the ends do not ascend, or a score lies outside them.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    if np.ndim(bins) == 0:
        count = require_whole(cast("int", bins), "bins")
        ends = np.arange(count + 1) / count
        cells = _between(sample, ends, lambda score: equal_width_bin(score, count))
        return _shares(cells)
    ends = as_floats(cast("npt.ArrayLike", bins), "bins")
    if ends.ndim != 1 or len(ends) < 2 or not (np.diff(ends) > 0).all():
        raise CalibrationError(f"bins = {bins!r}: give at least one, or ends that ascend")
    lowest, highest = float(sample.probability.min()), float(sample.probability.max())
    if lowest < ends[0] or highest > ends[-1]:
        raise CalibrationError(
            f"bins from {ends[0]} to {ends[-1]} leave out scores between {lowest} and {highest}: "
            "give ends around them"
        )
    inner = ends[1:-1]
    return _shares(
        _between(sample, ends, lambda score: np.searchsorted(inner, score, side="right"))
    )


def _shares(cells: Cells) -> pl.DataFrame:
    names = ("lowest", "highest", "weight", "events")
    columns = {name: getattr(cells, name) for name in names}
    return pl.DataFrame({**columns, "share": cells.weight / cells.weight.sum()})


def rate_interval(rate: Floats, rows: Floats, level: float = LEVEL) -> tuple[Floats, Floats]:
    """Return Wilson's interval of rates of effectively so many rows; NaN where there are none.

    Parameters
    ----------
    rate, rows : ndarray of float, shape (n,)
        The rates and the rows of each.
    level : float
        Of the interval.

    Raises
    ------
    CalibrationError
        If the level is not between 0 and 1.
    """
    require_level(level)
    z = float(norm.ppf((1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(rows > 0, z**2 / rows, np.nan)
        middle = (rate + part / 2) / (1 + part)
        reach = np.sqrt(rate * (1 - rate) * part + part**2 / 4) / (1 + part)
    # rounding must not take the rate out of its own interval
    return np.clip(np.minimum(middle - reach, rate), 0, 1), np.clip(
        np.maximum(middle + reach, rate), 0, 1
    )


def points_within(sample: Sample, points: int | npt.ArrayLike) -> Floats:
    """Return points as given, or so many evenly from the lowest to the highest score."""
    if np.ndim(points):
        places = as_floats(cast("npt.ArrayLike", points), "points")
        if places.ndim != 1 or not ((places >= 0) & (places <= 1)).all():
            raise CalibrationError("points: give a vector of probabilities within [0, 1]")
        return places
    count = require_whole(cast("int", points), "points")
    counts = True if sample.weight is None else sample.weight > 0
    lowest = float(sample.probability.min(where=counts, initial=1))
    highest = float(sample.probability.max(where=counts, initial=0))
    return np.unique(np.linspace(lowest, highest, count))


def _between(
    sample: Sample, ends: Floats, place_of: Callable[[Floats], npt.NDArray[np.int64]]
) -> Cells:
    """Return a cell for each bin between the ends, perhaps an empty one; ``values`` is not told."""
    bins = len(ends) - 1
    sums = np.zeros((4, bins))
    for part in parts(sample):
        score = part.probability
        place = place_of(score)
        weight = part.weigh(np.ones(len(score)))
        for total, value in zip(
            sums, (weight, weight**2, weight * part.happened, weight * score), strict=True
        ):
            total += np.bincount(place, value, bins)
    weights, squares, events, expected = sums
    return Cells(ends[:-1], ends[1:], weights, squares, events, expected, np.zeros(bins))
