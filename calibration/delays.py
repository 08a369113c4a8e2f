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

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.frames import require_columns
from calibration.late_events import LateEvents
from calibration.options import require_choice, require_level
from calibration.product_limit import product_limit
from calibration.samples import Floats, as_floats

_COLUMNS: Final = ("delay", "arrived", "low", "high", "at_risk")


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
        of the events it was compared with). Of more than 200,000 different delays some are left
        out, so that no share is off by more than 0.00001 and a thousandth of itself and of what is
        left of 1. Saved and read by polars' own means.
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
        require_columns(frame, _COLUMNS, of="delay curve")
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
        ages = as_floats(age, "age")
        place = np.searchsorted(self.frame["delay"].to_numpy(), ages, side="right")
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
    require_level(level)
    events = LateEvents(frame, now, event_time, arrival_time, weight)
    seen = events.check()
    matured = require_choice(DelayMethod, method, "method") is DelayMethod.MATURED_COHORTS
    if horizon is not None:
        horizon = float(as_floats(horizon, "horizon"))
        if not horizon >= 0:
            raise InvalidSampleError(f"horizon = {horizon}: give hours, at least 0")
    if horizon is None:
        if matured:
            raise InvalidSampleError("matured cohorts: give a horizon in hours, such as 336")
        horizon = events.longest_watched(seen)
    usable = partial(events.parts, longest=horizon, watched=horizon if matured else 0.0)
    count = sum(len(part.delay) for part in usable())
    if not count:
        raise InsufficientDataError(
            f"no event seen by now is usable within {horizon:g} hours: wait, or change the horizon"
        )
    return DelayCurve(product_limit(usable, count, level))
