"""How far chance could have moved a figure: bootstrap intervals over rows or whole clusters.

The package's own figures are functions of sums, so they are computed for many resamples at once.
Errors, which chance makes too high, get their intervals from worlds in which they are known; all
others percentiles, corrected for bias and skewness. Which suits was chosen by measured coverage:
``benchmarks/interval_coverage.py`` measures it.

References
----------
Efron and Tibshirani, An Introduction to the Bootstrap, 1993.
Hesterberg, "What teachers should know about the bootstrap", The American Statistician 2015, for
the widening at few units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.stats import norm
from scipy.stats import t as student

from calibration import field_errors
from calibration.constructions import (
    Construction,
    accelerated_ends,
    pivotal_ends,
    square_ends,
)
from calibration.error_worlds import Worlds
from calibration.errors import CalibrationError, InsufficientDataError
from calibration.frames import frame_sample, require_columns
from calibration.options import require_choice, require_level, require_whole
from calibration.resampled_errors import field_worlds
from calibration.resampled_sums import Sums, sums_of
from calibration.resamples import Resamples, draws
from calibration.samples import Floats, Sample
from calibration.units import Units

LEVEL: Final = 0.95
REPETITIONS: Final = 1_000
SEED: Final = 1
_JACKKNIFE: Final = 100
_MOST_SEGMENTS: Final = 20_000
_WEIGHTS_AT_ONCE: Final = 500_000
_LEAST_VALUED: Final = 0.95  # of the resamples

_Evaluate = Callable[[Floats], Floats]  # weights of units, shape (units, k): k figures


class Interval(NamedTuple):
    """A figure and its confidence interval; a format such as ``.3f`` is that of all three.

    Attributes
    ----------
    value : float
        The figure of the sample, as the metric gives it.
    low, high : float
        Between which the figure of the whole lies. Errors are too high by chance, which the
        interval allows for but the value does not, so a value may lie above its interval.
    """

    value: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        """Return the figure and, in brackets, the ends."""
        value, low, high = (format(number, spec) for number in self)
        return f"{value} ({low} to {high})"


def bootstrap(
    metric: Callable[..., Any],
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    clusters: npt.ArrayLike | pl.Series | None = None,
    part: str | None = None,
    level: float = LEVEL,
    repetitions: int = REPETITIONS,
    seed: int = SEED,
    construction: Construction | None = None,
) -> Interval:
    """Return the figure of a metric with its confidence interval.

    The same seed gives the same interval, bit for bit, in whatever order the rows come. A row or
    cluster is drawn whole, with its weights: a row of weight 2 is one row that counts double, as
    two rows of one cluster would, not two rows that could differ. Scaling all weights changes
    nothing. Rows of weight 0 are left out.

    Beyond 5,000 rows or clusters the package's own metrics are resampled in 5,000 random groups,
    which leaves the spread of sums as it is.

    Parameters
    ----------
    metric : callable
        Takes ``(y_true, y_prob, weight=...)`` and gives a number; options by ``functools.partial``.
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    clusters : array_like or Series of shape (n,), optional
        What each row belongs to, such as a user, where rows of one are not independent.
    part : str, optional
        The attribute to take where the metric gives several figures: ``"intercept"`` or ``"slope"``
        of ``logistic_recalibration``, ``"reliability"``, ``"resolution"`` or ``"uncertainty"`` of
        ``brier_decomposition``.
    level : float
        Confidence, between 0 and 1.
    repetitions : int
        How many resamples; at least 100.
    seed : int
        Of the draws.
    construction : Construction, optional
        How the interval is made; what suits the metric when omitted, which of other metrics than
        the package's is ``ACCELERATED``. For others that are 0 at best, choose a pivotal one. When
        given, the metric is called for each resample, whichever it is.

    Raises
    ------
    InsufficientDataError
        If the metric has no value, or has none in over 5% of the resamples, or if there is but one
        row or cluster.
    CalibrationError
        If level or repetitions are out of range.
    InvalidSampleError
        If the lengths differ, a value is outside its range, or a cluster is null.
    """
    _check(level, repetitions, seed)
    if not callable(metric):
        raise CalibrationError(f"metric = {metric!r}: give a function, such as log_loss")
    if construction is not None:
        construction = require_choice(Construction, construction, "construction")
    units = Units.of(Sample.of(y_true, y_prob, weight), clusters)
    _check_units(units)
    value = _figure(metric, part, units.sample, units.sample.weight)
    known = None
    if construction is None:
        function, options = _opened(metric)
        known = sums_of(function, part, units, options)
    if isinstance(known, Worlds):
        ends = _world_ends(known, Resamples.of(known.terms, units, repetitions, seed), level)
        return Interval(value, *ends)
    if known is None:
        evaluate: _Evaluate = partial(_call_for_each, metric, part, units)
        chosen = construction or Construction.ACCELERATED
        return Interval(value, *_ends(evaluate, len(units), chosen, level, repetitions, seed))
    table = units.collect(known.terms, np.random.default_rng(seed))
    evaluate = partial(_of_sums, known, table)
    ends = _ends(evaluate, table.shape[1], known.construction, level, repetitions, seed)
    if known.excess is not None:
        doubt = known.doubt * _tail(table.shape[1], level)
        ends = square_ends(ends, value, known.excess, doubt)
    low, high = (min(known.highest, end) for end in ends)
    return Interval(value, low, high)


def bootstrap_fields(
    frame: pl.DataFrame,
    *,
    by: str | Sequence[str],
    part: str = "expected",
    y_true: str = "y_true",
    y_prob: str = "y_prob",
    weight: str | None = None,
    clusters: str | None = None,
    epsilon: float = field_errors.EPSILON,
    level: float = LEVEL,
    repetitions: int = REPETITIONS,
    seed: int = SEED,
) -> Interval:
    """Return Field-ECE (``part="expected"``) or Field-RCE (``"relative"``) with its interval.

    Parameters
    ----------
    frame, by, y_true, y_prob, weight, epsilon
        As :func:`calibration.field_errors.field_calibration_error` takes them.
    part : str
        ``"expected"`` or ``"relative"``.
    clusters : str, optional
        Column of what each row belongs to, such as a user.
    level, repetitions, seed
        As :func:`bootstrap` takes them; what it says of order and weights holds here too.

    Raises
    ------
    InsufficientDataError
        If there is but one row or cluster.
    CalibrationError
        If an option is out of range, or there are more than 20,000 segments.
    InvalidSampleError
        If a column is missing, there is no row, a value is null, or is outside its range.
    """
    _check(level, repetitions, seed)
    field_errors.check_epsilon(epsilon)
    if part not in ("expected", "relative"):
        raise CalibrationError(f"part is {part}: give expected or relative")
    given = frame_sample(frame, y_true=y_true, y_prob=y_prob, weight=weight)
    segment, segments = field_errors.segment_codes(frame, by)
    if segments > _MOST_SEGMENTS:
        raise CalibrationError(
            f"by: {segments} segments, each of which takes a number a resample; give columns of at "
            f"most {_MOST_SEGMENTS}"
        )
    require_columns(frame, [] if clusters is None else [clusters])
    units = Units.of(given, None if clusters is None else frame[clusters], segment)
    del given, segment
    _check_units(units)
    error = (
        field_errors.absolute_error
        if part == "expected"
        else partial(field_errors.relative_error, epsilon=epsilon)
    )
    highest = 1.0 if part == "expected" else np.inf
    worlds = field_worlds(units, segments, error, highest)
    resamples = Resamples.of(worlds.terms, units, repetitions, seed)
    return Interval(worlds.observed, *_world_ends(worlds, resamples, level))


def _check(level: float, repetitions: int, seed: int) -> None:
    require_level(level)
    require_whole(repetitions, "repetitions", least=100)
    require_whole(seed, "seed", least=0)


def _opened(metric: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function and the options of a partial one."""
    if isinstance(metric, partial) and not metric.args:
        return metric.func, dict(metric.keywords)
    return metric, {}


def _figure(
    metric: Callable[..., Any], part: str | None, sample: Sample, weight: Floats | None
) -> float:
    result = metric(sample.happened, sample.probability, weight=weight)
    told = ", ".join(name for name in getattr(result, "__dataclass_fields__", ()))
    if part is not None and not hasattr(result, part):
        raise CalibrationError(f"part = {part!r}: the metric has {told or 'no parts'}")
    try:
        return float(result if part is None else getattr(result, part))
    except (TypeError, ValueError):
        raise CalibrationError(
            f"the metric gives no number but {type(result).__name__}: "
            + (f"name a part, one of {told}" if told else "give one that does")
        ) from None


def _of_sums(sums: Sums, table: Any, weights: Floats) -> Floats:
    return sums.figure(np.ascontiguousarray((table @ weights).T))


def _call_for_each(
    metric: Callable[..., Any], part: str | None, units: Units, weights: Floats
) -> Floats:
    """Return the figures of a metric that is only known as a function of rows."""
    figures, sample = np.full(weights.shape[1], np.nan), units.sample
    for place in range(weights.shape[1]):
        mass = weights[:, place] if units.unit is None else weights[units.unit, place]
        mass = mass if sample.weight is None else mass * sample.weight
        if mass.any():
            try:
                figures[place] = _figure(metric, part, sample, mass)
            except InsufficientDataError:
                continue
    return figures


def _check_units(units: Units) -> None:
    if len(units) < 2:
        raise InsufficientDataError("all rows are one row or cluster: give at least two of them")


def _tail(units: int, level: float) -> float:
    """Return how many standard deviations below the middle the lower end lies.

    Resamples spread by (n - 1) / n too little, and normal quantiles know the spread too well.
    """
    return float(student.ppf((1 - level) / 2, units - 1) * np.sqrt(units / (units - 1)))


def _world_ends(worlds: Worlds, resamples: Resamples, level: float) -> tuple[float, float]:
    """Return the ends of an error's interval, by worlds in which it is known."""
    tail = _tail(resamples.units, level)
    shares = float(norm.cdf(tail)), float(norm.cdf(-tail))
    return worlds.ends(resamples.whole, resamples.drawn, shares, resamples.generator)


def _ends(
    evaluate: _Evaluate,
    units: int,
    construction: Construction,
    level: float,
    repetitions: int,
    seed: int,
) -> tuple[float, float]:
    """Return the ends of an interval by the figures of resamples."""
    tail = _tail(units, level)
    generator = np.random.default_rng(seed)
    drawn = _drawn(evaluate, units, repetitions, generator)
    centre = float(evaluate(np.ones((units, 1)))[0])
    if construction is Construction.ACCELERATED:
        left_out = _without_groups(evaluate, units, generator)
        return accelerated_ends(drawn, centre, left_out, tail)
    return pivotal_ends(drawn, centre, tail, power=construction.power)


def _drawn(
    evaluate: _Evaluate, units: int, repetitions: int, generator: np.random.Generator
) -> Floats:
    """Return the figures of resamples that have one."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [evaluate(weights) for weights in draws(units, repetitions, generator)]
    drawn = np.concatenate(parts)
    valued = drawn[np.isfinite(drawn)]
    if len(valued) < _LEAST_VALUED * repetitions:
        raise InsufficientDataError(
            f"the metric has no value in {repetitions - len(valued)} of {repetitions} resamples: "
            "too few events or rows; give more"
        )
    return valued


def _without_groups(evaluate: _Evaluate, units: int, generator: np.random.Generator) -> Floats:
    """Return the figures of the sample without one group of units at a time, where they exist."""
    groups = min(_JACKKNIFE, units)
    group = generator.permutation(units)
    group %= groups
    at_once = max(1, _WEIGHTS_AT_ONCE // units)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = [
            evaluate((group[:, None] != np.arange(first, min(first + at_once, groups))) * 1.0)
            for first in range(0, groups, at_once)
        ]
    figures = np.concatenate(parts)
    valued: Floats = figures[np.isfinite(figures)]
    return valued
