"""Events that arrive late: what the labels will say in the end.

A label is so far 1 where the event has arrived, else 0; a 0 may still become a 1. How many will is
told by the delay curve (``calibration/delays``). All here rests on one assumption: delays do not
depend on when the event's row was made, nor on its probability.

References
----------
Yasui, Morishita, Fujita and Shibata, "A feedback shift correction in predicting conversion rates
under delayed feedback", WWW 2020, for the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import optimize, special

from calibration.delays import DelayCurve
from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.frames import require_columns
from calibration.options import require_level
from calibration.samples import Floats, Sample, as_floats

LEAST_ARRIVED: Final = 0.1
_NORMAL: Final = 1e9  # events above which a Poisson count is as good as normal
_ROWS_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True)
class MatureRatio:
    """A calibration ratio that counts the events still to come.

    Attributes
    ----------
    value : float
        Predicted over expected final events.
    low, high : float
        Its interval; high is infinite where weights sum to next to no event.
    expected_events : float
        Events expected in the end: each that has arrived stands for one over its share arrived.
    arrived_events : float
        Those of them that have arrived.
    left_out : float
        Weight of the rows too young to say anything; they count nowhere else.
    provisional : bool
        Whether more of the expected final events than the stated share are still to come, or a row
        was left out.
    """

    value: float
    low: float
    high: float
    expected_events: float
    arrived_events: float
    left_out: float
    provisional: bool


def restrict_to_matured(
    frame: pl.DataFrame, *, curve: DelayCurve, age: str = "age", share: float = 0.99
) -> pl.DataFrame:
    """Return the rows old enough that at least a share of their events has arrived.

    Parameters
    ----------
    frame : DataFrame
        Rows, with their age in hours in a column.
    curve : DelayCurve
        How late events arrive.
    age : str
        The column.
    share : float
        Of the events, within (0, 1].

    Raises
    ------
    InvalidSampleError
        If the column is missing, an age is null, NaN or no number, or the share is out of range.
    """
    if not 0 < share <= 1:
        raise InvalidSampleError(f"share is {share}: give one above 0 and at most 1")
    require_columns(frame, [age])
    if not frame[age].dtype.is_numeric():
        raise InvalidSampleError(
            f"column {age} is of {frame[age].dtype}: give hours as numbers, of durations "
            ".dt.total_seconds() / 3600"
        )
    if missing := frame[age].is_nan().sum() + frame[age].null_count():
        raise InvalidSampleError(f"column {age}: {missing} ages are NaN or null; fill or drop them")
    return frame.filter(pl.col(age) >= curve.age_at(share))


def maturity_weights(
    y_true_so_far: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    age: npt.ArrayLike,
    curve: DelayCurve,
    weight: npt.ArrayLike | None = None,
    least_arrived: float = LEAST_ARRIVED,
) -> Floats:
    """Return row weights under which labels so far count as final ones: the importance weights.

    A row whose event has arrived counts 1 / F(age). One whose event has not is negative only with
    what remains, (1 - p) / (1 - p F(age)). The weight of the events is unbiased whatever p is.
    That of the others is unbiased where p is right; a wrong p moves it by about (1 - F) times p's
    error, which is small where events are rare. Rows younger than the age by which
    ``least_arrived`` have arrived say next to nothing, and count 0.

    Parameters
    ----------
    y_true_so_far : array_like of shape (n,)
        1 where the event has arrived, else 0.
    y_prob : array_like of shape (n,)
        Probabilities that the event arrives in the end.
    age : array_like of shape (n,)
        Hours since the row was made.
    curve : DelayCurve
        How late events arrive.
    weight : array_like of shape (n,), optional
        Row weights that these are multiplied with.
    least_arrived : float
        Share, within (0, 1].

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample, ages = _aged(y_true_so_far, y_prob, age, weight)
    youngest = _youngest(curve, least_arrived)
    weights = np.empty(len(sample))
    for start in range(0, len(sample), _ROWS_AT_ONCE):
        part = slice(start, start + _ROWS_AT_ONCE)
        share, probability = curve.arrived(ages[part]), sample.probability[part]
        old = ages[part] >= youngest
        share[~old] = 1.0
        remaining = 1 - probability * share
        negative = np.divide(1 - probability, remaining, where=remaining > 0, out=np.ones(len(old)))
        weights[part] = np.where(sample.happened[part], 1 / share, negative) * old
    return weights if sample.weight is None else np.multiply(weights, sample.weight, out=weights)


def maturity_aware_calibration_ratio(
    y_true_so_far: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    age: npt.ArrayLike,
    curve: DelayCurve,
    weight: npt.ArrayLike | None = None,
    least_arrived: float = LEAST_ARRIVED,
    provisional_above: float = 0.05,
    level: float = 0.95,
) -> MatureRatio:
    """Return predicted over expected final events: what the calibration ratio will be.

    An event that has arrived stands for 1 / F(age) events (Horvitz and Thompson 1952). This is
    unbiased whatever the probabilities are; to fill in missing labels with the model's own
    probabilities would pull its ratio to 1.

    The interval is that of a Poisson count (mid-P) of as many events as have the same relative
    error; the error is that of the events and of the curve, taken as independent. It widens
    slightly too far where probabilities are large.

    Parameters
    ----------
    y_true_so_far : array_like of shape (n,)
        1 where the event has arrived, else 0.
    y_prob : array_like of shape (n,)
        Probabilities that the event arrives in the end.
    age : array_like of shape (n,)
        Hours since the row was made.
    curve : DelayCurve
        How late events arrive.
    weight : array_like of shape (n,), optional
        Row weights. They are counts: scaling all of them scales the events and narrows the
        interval, and leaves the value as it is.
    least_arrived : float
        Rows younger than the age by which this share has arrived are left out.
    provisional_above : float
        Share of the expected final events still to come above which the figure is provisional.
    level : float
        Of the interval.

    Raises
    ------
    InsufficientDataError
        If no row is old enough, or none of those that are has had its event arrive.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    require_level(level)
    sample, ages = _aged(y_true_so_far, y_prob, age, weight)
    old = ages >= _youngest(curve, least_arrived)
    count = old if sample.weight is None else np.multiply(old, sample.weight)
    seen = np.flatnonzero(sample.happened & old)
    seen_weight, size = np.asarray(count[seen], dtype=np.float64), float(count.sum())
    arrived = float(seen_weight.sum())
    if not arrived:
        told = "no row is old enough" if not size else "no event has arrived on rows old enough"
        raise InsufficientDataError(f"{told}: wait, or lower least_arrived ({least_arrived})")
    parts = (slice(n, n + _ROWS_AT_ONCE) for n in range(0, len(sample), _ROWS_AT_ONCE))
    predicted = sum(float(np.dot(count[part], sample.probability[part])) for part in parts)
    stands_for = 1 / curve.arrived(ages[seen])
    events = float(seen_weight @ stands_for)
    variance = float(seen_weight @ stands_for**2)
    variance += _curve_variance(curve, ages[seen], seen_weight * stands_for)
    value, same = predicted / events, events**2 / variance
    low, high = (same / limit if limit > 0 else np.inf for limit in _poisson_limits(same, level))
    left_out = float((~old).sum() if sample.weight is None else sample.weight[~old].sum())
    return MatureRatio(
        value=value,
        low=value * low,
        high=value * high,
        expected_events=events,
        arrived_events=arrived,
        left_out=left_out,
        provisional=bool(left_out > 0 or 1 - arrived / events > provisional_above),
    )


def _aged(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, age: npt.ArrayLike, weight: npt.ArrayLike | None
) -> tuple[Sample, Floats]:
    sample = Sample.of(y_true, y_prob, weight)
    ages = as_floats(age, "age")
    if ages.shape != sample.probability.shape:
        raise InvalidSampleError(
            f"age has shape {ages.shape}: give one for each of {len(sample)} rows"
        )
    if not ages.min() >= 0:
        raise InvalidSampleError(
            "age holds NaN or a negative value: give hours since the row was made"
        )
    return sample, ages


def _youngest(curve: DelayCurve, least_arrived: float) -> float:
    if not 0 < least_arrived <= 1:  # at 0 a row whose event cannot have arrived yet would count
        raise InvalidSampleError(
            f"least_arrived is {least_arrived}: give one above 0 and at most 1"
        )
    return curve.age_at(least_arrived)


def _curve_variance(curve: DelayCurve, ages: Floats, events: Floats) -> float:
    """Return the variance that the curve's error gives the sum of the events, by Greenwood.

    The factor of a delay is part of F at every younger age, so its error moves all their events
    together.
    """
    delay, arrived, at_risk = (
        curve.frame[name].to_numpy() for name in ("delay", "arrived", "at_risk")
    )
    share = 1 - arrived[:-1] / arrived[1:]
    steps = share / (at_risk[1:] * (1 - share))
    place = np.searchsorted(delay, ages, side="right")
    younger = np.cumsum(np.bincount(place, weights=events, minlength=len(delay) + 1))
    return float(steps @ younger[1 : len(delay)] ** 2)


def _poisson_limits(count: float, level: float) -> tuple[float, float]:
    """Return the mid-P upper and lower limits of the mean of a Poisson count, whole or not."""
    tail = (1 - level) / 2
    if count > _NORMAL:
        reach = float(special.ndtri(1 - tail)) * count**0.5
        return count + reach, count - reach

    def too_few(mean: float) -> float:
        return float((special.gammaincc(count, mean) + special.gammaincc(count + 1, mean)) / 2)

    reach = 10 + 10 * count**0.5
    upper = optimize.brentq(lambda mean: too_few(mean) - tail, count, count + reach)
    lower = optimize.brentq(lambda mean: 1 - too_few(mean) - tail, 0, count)
    return float(upper), float(lower)
