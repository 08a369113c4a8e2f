"""Figures of best candidates, and how far chance could have moved them (bootstrap over signals).

A resample draws as many signals as there are, about, with replacement. It is never written out: it
is a weight for each kind of signal, and figures are computed under weights, many resamples at once.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, chapters 13 and 16.
Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
AAAI 2015, for the expected calibration error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
Weights = npt.NDArray[np.int32]
Figures = dict[str, Floats]

RESAMPLES: Final = 1_000
SEED: Final = 1
BINS: Final = 15
PRECISIONS: Final = (0.90, 0.95, 0.99)
_ERRORS: Final = ("calibration_error", "declared_calibration_error")
_WEIGHTS_AT_ONCE: Final = 200_000  # a block fits into the cache
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure and its 95% confidence interval.

    Attributes
    ----------
    value : float or None
        The figure; None where it has no value, such as a precision without matches.
    low, high : float or None
        Between which it lies; None where the figure or too many resamples have no value.
    """

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Ranking:
    """Kinds of signals that figures cannot tell apart: with a candidate, the likeliest leading.

    Attributes
    ----------
    count : ndarray of int, shape (n,)
        How many signals are of the kind.
    positive : ndarray of int, shape (n,)
        1 where the signal's user could have been found, else 0.
    hit, declared : ndarray of int, shape (m,)
        Of the first m kinds, which have a candidate: 1 where he is right, and where he is declared.
    gap : ndarray of float, shape (m,)
        Probability that he is right, less hit.
    cell : ndarray of int, shape (m,)
        The bin of that probability, and ``BINS`` more where he is declared.
    starts : ndarray of int
        Where each run of equal probabilities begins among the first m.
    cell_starts : ndarray of int
        The same of runs of one cell, which are few, since cells mostly follow the ranks.
    """

    count: Integers
    positive: Weights
    hit: Weights
    declared: Weights
    gap: Floats
    cell: Integers
    starts: Integers
    cell_starts: Integers

    @classmethod
    def of(cls, signals: pl.DataFrame) -> Self:
        """Rank signals, so that their order in the frame does not matter.

        Parameters
        ----------
        signals : DataFrame
            positive; probability, by which the best candidate is ranked, null where there is none;
            expected, the probability that he is right; correct, whether he is; declared.
        """
        columns = ["probability", "expected", "correct", "declared", "positive"]
        known = pl.col("probability").is_not_null()
        kinds = (
            signals.select("positive", pl.when(known).then(pl.col(columns[:-1])))
            .group_by(columns)
            .len("count")
            .sort(columns, descending=True, nulls_last=True)
        )
        ranked = kinds.filter(known)
        scores, expected = (ranked[name].cast(pl.Float64).to_numpy() for name in columns[:2])
        hit, declared = (ranked[name].cast(pl.Int32).to_numpy() for name in columns[2:4])
        bins = np.minimum((expected * BINS).astype(np.int64), BINS - 1)
        cell = bins + BINS * declared.astype(np.int64)
        return cls(
            count=kinds["count"].to_numpy().astype(np.int64),
            positive=kinds["positive"].cast(pl.Int32).to_numpy(),
            hit=hit,
            declared=declared,
            gap=expected - hit,
            cell=cell,
            starts=np.flatnonzero(np.diff(scores, prepend=np.inf)),
            cell_starts=np.flatnonzero(np.diff(cell, prepend=-1)),
        )


def measure(signals: pl.DataFrame, *, resamples: int = RESAMPLES) -> dict[str, Interval]:
    """Return the figures of signals with their confidence intervals, by name.

    ``precision``, ``recall`` and ``f1`` are of the declared; ``average_precision`` and
    ``recall_at_precision_90``, ``_95`` and ``_99`` (the largest recall at any cut whose precision
    is at least that) of the best candidates, declared or not; ``calibration_ratio`` (predicted over
    observed) and ``calibration_error`` (expected calibration error, ``BINS`` bins of equal width)
    of the best candidates, and as ``declared_...`` of the declared.

    The intervals are percentiles of the resamples. A calibration error is never below 0 and
    therefore too high by chance, in a resample once more. Its interval takes that off: it is the
    pivotal one of the square, to which chance adds the same each time, and ends no lower than the
    figure itself.

    Parameters
    ----------
    signals : DataFrame
        As :meth:`Ranking.of` takes them, in any order.
    resamples : int
        How many are drawn.
    """
    ranking = Ranking.of(signals)
    values = {name: float(value[0]) for name, value in figures(ranking).items()}
    parts = [figures(ranking, weights) for weights in _resamples(ranking.count, resamples)]
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in values if parts}
    return {
        name: _interval(value, drawn.get(name, np.empty(0)), is_error=name in _ERRORS)
        for name, value in values.items()
    }


def figures(ranking: Ranking, weights: Weights | None = None) -> Figures:
    """Return the figures of :func:`measure` under weights; not a number where they have no value.

    Parameters
    ----------
    ranking : Ranking
        The signals.
    weights : ndarray of int, shape (k, n), optional
        For each of k samples how many signals of each kind it has; the signals when omitted.
    """
    if weights is None:
        weights = ranking.count[None, :].astype(np.int32)
    ranked = weights[:, : len(ranking.hit)]
    right = ranked * ranking.hit
    seen = np.cumsum(_by_run(ranked, ranking.starts), axis=1, dtype=np.int32)
    gained = _by_run(right, ranking.starts)
    found = np.cumsum(gained, axis=1, dtype=np.int32)
    precision = found / np.maximum(seen, 1, out=seen)
    positives = _weighted(weights, ranking.positive)
    declared, correct = _weighted(ranked, ranking.declared), _weighted(right, ranking.declared)
    gaps = _by_cell(ranking, ranked * ranking.gap)
    with np.errstate(divide="ignore", invalid="ignore"):
        result = {
            "precision": correct / declared,
            "recall": correct / positives,
            "f1": 2 * correct / (declared + positives),
            "average_precision": np.einsum("ij,ij->i", precision, gained) / positives,
        }
        for target in PRECISIONS:
            name = f"recall_at_precision_{target * 100:.0f}"
            result[name] = _most_found(found, precision >= target) / positives
        for prefix, of_kind, hits, cells in (
            ("", ranked.sum(axis=1), right.sum(axis=1), gaps[:, :BINS] + gaps[:, BINS:]),
            ("declared_", declared, correct, gaps[:, BINS:]),
        ):
            ratio = np.where(hits > 0, 1 + cells.sum(axis=1) / hits, np.nan)
            result[f"{prefix}calibration_ratio"] = ratio
            result[f"{prefix}calibration_error"] = np.abs(cells).sum(axis=1) / of_kind
    return result


def _by_run(values: Weights, starts: Integers) -> Weights:
    """Return the sums of the runs of each row."""
    if len(starts) == values.shape[1]:
        return values
    sums: Weights = np.add.reduceat(values, starts, axis=1)
    return sums


def _weighted(weights: Weights, values: Weights) -> Floats:
    sums: Floats = np.einsum("ij,j->i", weights, values).astype(np.float64)
    return sums


def _most_found(found: Weights, reached: Bools) -> Floats:
    """Return for each row what was found by the last cut that reaches a precision, 0 without."""
    if not reached.shape[1]:
        return np.zeros(len(found))
    last = reached.shape[1] - 1 - np.argmax(reached[:, ::-1], axis=1)
    rows = np.arange(len(found))
    most: Floats = (found[rows, last] * reached[rows, last]).astype(np.float64)
    return most


def _by_cell(ranking: Ranking, values: Floats) -> Floats:
    """Return the sums of the values of each row by cell, shape (rows, 2 * BINS)."""
    starts = ranking.cell_starts
    sums: Floats = np.add.reduceat(values, starts, axis=1) if len(starts) else values
    width, rows = 2 * BINS, len(values)
    places = (ranking.cell[starts] + width * np.arange(rows)[:, None]).ravel()
    cells = np.bincount(places, weights=sums.ravel(), minlength=width * rows)
    return np.asarray(cells, dtype=np.float64).reshape(rows, width)


def _resamples(count: Integers, resamples: int) -> Iterator[Weights]:
    """Yield weights of resamples, some at a time, shape (k, len(count)).

    A signal is drawn as often as a Poisson variable of mean 1 says, which for a multinomial draw of
    as many signals as there are is the limit; a kind of several as often as one of their sum.
    """
    if not len(count):
        return
    generator = np.random.default_rng(SEED)
    several = np.flatnonzero(count > 1)
    at_once = max(1, _WEIGHTS_AT_ONCE // len(count))
    for start in range(0, resamples, at_once):
        rows = min(at_once, resamples - start)
        weights = _ONCE[generator.integers(0, len(_ONCE), (rows, len(count)), dtype=np.uint16)]
        weights[:, several] = generator.poisson(count[several], (rows, len(several)))
        yield weights


def _interval(value: float, drawn: Floats, *, is_error: bool) -> Interval:
    if np.isnan(value):
        return Interval(None, None, None)
    told = drawn[~np.isnan(drawn)]
    if not len(told) or len(told) < _LEVEL * len(drawn):
        return Interval(value, None, None)
    tail = (1 - _LEVEL) / 2
    low, high = (float(end) for end in np.quantile(told, (tail, 1 - tail)))
    if is_error:
        low, high = max(0.0, 2 * value**2 - high**2), max(value**2, 2 * value**2 - low**2)
        low, high = low**0.5, high**0.5
    return Interval(value, low, high)


def _poisson_quantiles() -> Weights:
    """Return the Poisson variable of mean 1 at 65,536 evenly spaced quantiles."""
    terms = np.cumprod([np.exp(-1.0), *(1 / k for k in range(1, 20))])
    quantiles = np.searchsorted(np.cumsum(terms), (np.arange(2**16) + 0.5) / 2**16)
    return quantiles.astype(np.int32)


_ONCE: Final = _poisson_quantiles()
