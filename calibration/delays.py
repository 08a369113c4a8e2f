"""How late events arrive: the share of them that has arrived by an age, from what has been seen.

Only events that have arrived by now are known, and of the young ones only the quick. The curve
takes that into account (right truncation) by looking back from the longest delays to the shortest,
or rests on rows old enough to be complete. It assumes that delays do not depend on when an event's
row was made.

References
----------
Lagakos, Barraj and De Gruttola, "Nonparametric analysis of truncated survival data, with
application to AIDS", Biometrika 1988.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special

from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.samples import Floats

_COLUMNS: Final = ("delay", "arrived", "low", "high", "at_risk")
_WINDOWS_BEYOND: Final = 0.05  # what share of the events must have been watched up to the horizon
_MICROSECONDS: Final = 3_600_000_000  # an hour


class DelayMethod(StrEnum):
    """How a delay curve is learned."""

    REVERSED_TIME = "reversed_time"
    MATURED_COHORTS = "matured_cohorts"


@dataclass(frozen=True)
class DelayCurve:
    """The share of events that have arrived by an age, a step function.

    Attributes
    ----------
    frame : DataFrame
        One row a delay that was seen, ascending: delay (hours), arrived (the share of the events
        that arrive by it, 1 in the last row), low and high (its interval) and at_risk (the weight
        of the events it was compared with). Saved and read by polars' own means.
    """

    frame: pl.DataFrame

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Check and hold a frame, such as one that was saved.

        Raises
        ------
        InvalidSampleError
            If a column is missing, or delays and shares do not rise to 1.
        """
        missing = [name for name in _COLUMNS if name not in frame.columns]
        if missing:
            raise InvalidSampleError(
                f"delay curve: column {missing[0]} is missing; give {_COLUMNS}"
            )
        frame = frame.select(pl.col(_COLUMNS).cast(pl.Float64))
        delay, arrived = (frame[name].to_numpy() for name in _COLUMNS[:2])
        rises = bool(np.all(np.diff(delay) > 0) and np.all(np.diff(arrived) >= 0))
        if not len(delay) or not rises or not (arrived[0] > 0 and np.isclose(arrived[-1], 1)):
            raise InvalidSampleError(
                "delay curve: delays must ascend and shares rise to 1; give what delay_curve made"
            )
        return cls(frame)

    def arrived(self, age: npt.ArrayLike) -> Floats:
        """Return the share of events that have arrived by an age: 0 before the first delay seen.

        Parameters
        ----------
        age : array_like of shape (n,)
            Hours since the row was made; beyond the curve's end everything has arrived.
        """
        place = np.searchsorted(self.frame["delay"].to_numpy(), np.asarray(age), side="right")
        shares = np.concatenate([[0.0], self.frame["arrived"].to_numpy()])
        return np.asarray(shares[place], dtype=np.float64)

    def age_at(self, share: float) -> float:
        """Return the youngest age, in hours, by which at least a share has arrived."""
        arrived = self.frame["arrived"].to_numpy()
        place = min(int(np.searchsorted(arrived, share)), len(arrived) - 1)
        return float(self.frame["delay"][place])


def delay_curve(
    frame: pl.DataFrame,
    *,
    now: datetime | float,
    event_time: str = "event_time",
    arrival_time: str = "arrival_time",
    weight: str | None = None,
    method: DelayMethod = DelayMethod.REVERSED_TIME,
    horizon: float | None = None,
    level: float = 0.95,
) -> DelayCurve:
    """Return the share of events that arrive by each delay, learned from those seen by now.

    Seen events are right truncated: one made an hour ago is seen only if it took less than an hour.
    In reversed time (the default) each delay is compared with the events that could have shown it,
    by the product-limit estimate of Lagakos and others; matured cohorts are the events made at
    least the horizon ago, whose delays are counted as they are. Events that arrive after the
    horizon count nowhere: the curve is of those that arrive within it, and 1 at its end. The
    interval is Greenwood's on the scale of log(-log).

    Parameters
    ----------
    frame : DataFrame
        One row an event. Rows without an arrival, or with one after now, are not seen yet.
    now : datetime or float
        Until when arrivals are seen: a datetime like those of the columns, or hours like them.
    event_time, arrival_time : str
        Columns: when the row was made of which the event is, and when the event arrived; datetimes,
        or numbers in hours.
    weight : str, optional
        Column of row weights. They are counts: scaling all of them leaves the curve as it is but
        narrows the interval.
    method : DelayMethod
        Reversed time, or matured cohorts only, which needs a horizon.
    horizon : float, optional
        The longest delay that counts, in hours. When omitted, the longest that at least 5% of the
        seen events have been watched for: beyond it single events decide.
    level : float
        Of the interval, pointwise.

    Raises
    ------
    InvalidSampleError
        If an event arrives before it is made, a time is missing, a weight is out of range, or
        matured cohorts are asked for without a horizon.
    InsufficientDataError
        If no event has been seen, or none within the horizon.
    """
    if not 0 < level < 1:
        raise InvalidSampleError(f"level is {level}: give one between 0 and 1, such as 0.95")
    delay, window, weights = _seen(frame, now, event_time, arrival_time, weight)
    if horizon is None:
        if method is DelayMethod.MATURED_COHORTS:
            raise InvalidSampleError("matured cohorts: give a horizon in hours, such as 336")
        horizon = _longest_watched(window, weights)
    kept = delay <= horizon
    if method is DelayMethod.MATURED_COHORTS:
        kept &= window >= horizon
    if not kept.any():
        raise InsufficientDataError(
            f"no event seen by now is usable within {horizon:g} hours: wait, or change the horizon"
        )
    return DelayCurve(_product_limit(delay[kept], window[kept], weights[kept], level))


def _seen(
    frame: pl.DataFrame, now: datetime | float, event: str, arrival: str, weight: str | None
) -> tuple[Floats, Floats, Floats]:
    """Return the delays and windows in hours and the weights of events that have arrived by now."""
    missing = [name for name in (event, arrival, weight) if name and name not in frame.columns]
    if missing:
        raise InvalidSampleError(f"frame has no column {missing[0]}: it has {frame.columns}")
    if frame[event].null_count():
        raise InvalidSampleError(f"column {event}: {frame[event].null_count()} values are missing")
    try:
        times = frame.select(
            delay=_hours(frame, pl.col(arrival) - pl.col(event)),
            window=_hours(frame, pl.lit(now) - pl.col(event)),
            weight=pl.col(weight).cast(pl.Float64) if weight else pl.lit(1.0),
        )
    except pl.exceptions.PolarsError as error:
        told = str(error).splitlines()[0]
        raise InvalidSampleError(
            f"now, {event} and {arrival} cannot be subtracted: {told}; give datetimes of one zone, "
            "or hours"
        ) from None
    if times["window"].is_nan().any():
        raise InvalidSampleError(
            f"column {event} or now is NaN: give the hour at which rows were made"
        )
    weights = times["weight"].to_numpy()
    if not np.all((weights >= 0) & np.isfinite(weights)):
        raise InvalidSampleError(f"column {weight}: give finite weights of at least 0")
    seen = times.filter(pl.col("delay") <= pl.col("window"), pl.col("weight") > 0)
    if seen.is_empty():
        raise InsufficientDataError("no event has arrived by now: there is no delay to learn from")
    early = int((seen["delay"] < 0).sum())
    if early:
        raise InvalidSampleError(
            f"{early} events arrive before they are made: swap {event}, {arrival}"
        )
    delay, window, weights = (seen[name].to_numpy() for name in ("delay", "window", "weight"))
    return delay, window, weights


def _hours(frame: pl.DataFrame, span: pl.Expr) -> pl.Expr:
    if isinstance(frame.select(span.alias("span")).schema["span"], pl.Duration):
        return span.dt.total_microseconds() / _MICROSECONDS
    return span.cast(pl.Float64)


def _longest_watched(window: Floats, weights: Floats) -> float:
    order = np.argsort(window)
    beyond = np.cumsum(weights[order][::-1])[::-1]
    enough = np.flatnonzero(beyond >= _WINDOWS_BEYOND * beyond[0])
    return float(window[order[enough[-1]]])


def _product_limit(delay: Floats, window: Floats, weights: Floats, level: float) -> pl.DataFrame:
    """Return the curve's frame: F(x) is the product of 1 - d/n over all delays longer than x.

    d is the weight of the events of a delay, n of those that took no longer and have been watched
    for at least as long.
    """
    order = np.argsort(delay)
    places, starts = np.unique(delay[order], return_index=True)
    events = np.add.reduceat(weights[order], starts)
    order = np.argsort(window)
    gone = np.concatenate([[0.0], np.cumsum(weights[order])])
    at_risk = np.cumsum(events) - gone[np.searchsorted(window[order], places, side="left")]
    share = np.minimum(events / at_risk, 1.0)[1:]  # all of the first delay's: nothing is before it
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = _sums_behind(np.log1p(-share))
        variance = _sums_behind(share / (at_risk[1:] * (1 - share)))
        spread = special.ndtri((1 + level) / 2) * np.sqrt(variance) / np.abs(logs)
        low, high = (np.exp(logs * np.exp(sign * spread)) for sign in (1, -1))
    table = pl.DataFrame(
        {
            "delay": places,
            "arrived": np.exp(logs),
            "low": np.where(logs == 0, 1.0, low),
            "high": np.where(logs == 0, 1.0, high),
            "at_risk": at_risk,
        }
    )
    return table.filter(pl.col("arrived") > 0)  # a delay that all at risk have hides those before


def _sums_behind(values: Floats) -> Floats:
    """Return for each place the sum of the values behind it; one longer than the values."""
    return np.concatenate([np.cumsum(values[::-1])[::-1], [0.0]])
