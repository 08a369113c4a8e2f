"""Events that arrive late, read from a frame some rows at a time: how late, and watched how long.

Only events that have arrived by now are known; of the young ones only the quick.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.frames import require_columns
from calibration.samples import Floats

_ROWS_AT_ONCE: Final = 500_000
_WINDOWS_BEYOND: Final = 0.05  # what share of the events must have been watched up to the horizon
_MICROSECONDS: Final = 3_600_000_000  # an hour


class Events(NamedTuple):
    """Some events that have arrived by now.

    Attributes
    ----------
    delay, window : ndarray of float, shape (m,)
        Hours from the making of the row until the event arrived, and until now.
    weight : ndarray of float, shape (m,)
        Above 0.
    """

    delay: Floats
    window: Floats
    weight: Floats


@dataclass(frozen=True)
class LateEvents:
    """The events of a frame.

    Attributes
    ----------
    frame : DataFrame
        One row an event.
    now : datetime or float
        Until when arrivals are seen.
    event_time, arrival_time : str
        Columns: datetimes, or numbers in hours.
    weight : str or None
        Column of row weights.
    """

    frame: pl.DataFrame
    now: datetime | float
    event_time: str
    arrival_time: str
    weight: str | None

    def check(self) -> int:
        """Return how many events have arrived by now.

        Raises
        ------
        InvalidSampleError
            If a column or a time is missing, a weight out of range, times are of different kinds,
            or an event arrives before it is made.
        InsufficientDataError
            If no event has arrived.
        """
        event, arrival, weight = self.event_time, self.arrival_time, self.weight
        require_columns(self.frame, [event, arrival, *([weight] if weight else [])])
        self._require_times()
        if nulls := self.frame[event].null_count():
            raise InvalidSampleError(
                f"column {event}: {nulls} values are missing; give the time at which rows were made"
            )
        seen = early = 0
        for times in self._times():
            if times["window"].is_nan().any():
                raise InvalidSampleError(
                    f"column {event} or now is NaN: give the hour at which rows were made"
                )
            if not (times["weight"].is_finite() & (times["weight"] >= 0)).fill_null(False).all():
                raise InvalidSampleError(f"column {weight}: give finite weights of at least 0")
            arrived = times.filter(_ARRIVED)
            seen += len(arrived)
            early += int((arrived["delay"] < 0).sum())
        if not seen:
            raise InsufficientDataError(
                "no event has arrived by now: there is no delay to learn from"
            )
        if early:
            raise InvalidSampleError(
                f"{early} events arrive before they are made: swap {event}, {arrival}"
            )
        return seen

    def parts(self, *, longest: float = np.inf, watched: float = 0.0) -> Iterator[Events]:
        """Yield the events that have arrived by now, some at a time, in their order.

        Parameters
        ----------
        longest : float
            Hours: events that took longer are left out.
        watched : float
            Hours: events that were made less long ago are left out.
        """
        usable = _ARRIVED & (pl.col("delay") <= longest) & (pl.col("window") >= watched)
        for times in self._times():
            seen = times.filter(usable)
            yield Events(*(seen[name].to_numpy() for name in Events._fields))

    def longest_watched(self, seen: int) -> float:
        """Return for how long at least 5% of the events have been watched.

        Parameters
        ----------
        seen : int
            How many have arrived.
        """
        watched = filled(seen, ((part.window, part.weight) for part in self.parts()))
        watched.sort()
        least = _WINDOWS_BEYOND * float(watched.imag.sum())
        beyond = 0.0
        for end in range(seen, 0, -_ROWS_AT_ONCE):
            some = watched[max(0, end - _ROWS_AT_ONCE) : end][::-1]
            reached = beyond + np.cumsum(some.imag)
            if reached[-1] >= least:
                return float(some.real[np.searchsorted(reached, least)])
            beyond = float(reached[-1])
        return float(watched.real[0])

    def _require_times(self) -> None:
        """Refuse durations and times of day, and a now that is neither time nor number."""
        for name in (self.event_time, self.arrival_time):
            kind = self.frame.schema[name]
            if not (
                kind.is_numeric() or kind == pl.Date or isinstance(kind, pl.Datetime | pl.Null)
            ):
                raise InvalidSampleError(
                    f"column {name} is of {kind}: give datetimes, or hours as numbers, of "
                    "durations .dt.total_seconds() / 3600"
                )
        if isinstance(self.now, timedelta | np.timedelta64 | str):
            raise InvalidSampleError(f"now = {self.now!r}: give a datetime, or hours as a number")

    def _times(self) -> Iterator[pl.DataFrame]:
        """Yield delay, window and weight of some rows at a time, whether they are seen or not."""
        told = self.frame.select(self.event_time, self.arrival_time, *filter(None, [self.weight]))
        event, arrival = (
            # as they are, unsigned and short whole numbers would run over
            pl.col(name).cast(pl.Float64) if told.schema[name].is_numeric() else pl.col(name)
            for name in (self.event_time, self.arrival_time)
        )
        delay, window = arrival - event, pl.lit(self.now) - event
        weight = pl.col(self.weight).cast(pl.Float64) if self.weight else pl.lit(1.0)
        try:
            columns = {"delay": _hours(told, delay), "window": _hours(told, window)}
            for start in range(0, max(len(told), 1), _ROWS_AT_ONCE):
                some = told.slice(start, _ROWS_AT_ONCE)
                yield some.select(**columns, weight=weight)
        except pl.exceptions.PolarsError as error:
            first = str(error).splitlines()[0]
            raise InvalidSampleError(
                f"now, {self.event_time} and {self.arrival_time} cannot be subtracted: {first}; "
                "give datetimes of one zone, or hours"
            ) from None


_ARRIVED: Final = (pl.col("delay") <= pl.col("window")) & (pl.col("weight") > 0)


def filled(count: int, columns: Iterator[tuple[Floats, Floats]]) -> npt.NDArray[np.complex128]:
    """Return at most so many pairs of two columns, as complex numbers: they sort by the first."""
    pairs, end = np.empty(count, dtype=np.complex128), 0
    for first, second in columns:
        some = pairs[end : end + len(first)]
        some.real, some.imag = first, second
        end += len(first)
    return pairs[:end]


def _hours(frame: pl.DataFrame, span: pl.Expr) -> pl.Expr:
    if isinstance(frame.head(0).select(span.alias("span")).schema["span"], pl.Duration):
        return span.dt.total_microseconds() / _MICROSECONDS
    return span.cast(pl.Float64)
