"""The window of the logs, and the hours at which people are awake."""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from simulation.arrays import Bools, Ints
from simulation.places import load_atlas

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Relative traffic by local hour, from midnight. Assumed: the usual shape of consumer internet
# traffic, a trough at 4 and a peak from 20 to 22 o'clock.
_HOURLY = (
    2.4, 1.5, 0.9, 0.6, 0.5, 0.7, 1.4, 2.6, 3.4, 3.8, 4.1, 4.4,
    5.0, 4.8, 4.5, 4.5, 4.8, 5.3, 5.8, 6.5, 7.3, 7.6, 6.6, 4.4,
)  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """The simulated window. Times are microseconds since its first midnight, UTC."""

    start: date
    days: int

    @property
    def end(self) -> int:
        """First microsecond after the window."""
        return self.days * DAY

    def date_of(self, day: int) -> date:
        """Return the date of a day counted from 0."""
        return self.start + timedelta(days=day)

    def local_hour(self, time: Ints, city: Ints) -> Ints:
        """Return the hour of the day where the person is. Summer time is left out."""
        return self._local(time, city) // HOUR % 24

    def is_workday(self, time: Ints, city: Ints) -> Bools:
        """Return whether it is Monday to Friday where the person is."""
        day = self._local(time, city) // DAY
        workday: Bools = (day + self.start.weekday()) % 7 < 5
        return workday

    def draw_times(self, rng: np.random.Generator, city: Ints) -> Ints:
        """Return one time in the window a row, at an hour likely where the person is."""
        rows = len(city)
        weights = np.cumsum(_HOURLY)
        hour = np.searchsorted(weights, rng.random(rows) * weights[-1], side="right")
        local = hour * HOUR + rng.integers(0, HOUR, rows)
        shift = (load_atlas().offset_hours[city] * HOUR).astype(np.int64)
        time: Ints = rng.integers(0, self.days, rows) * DAY + (local - shift) % DAY
        return time

    def _local(self, time: Ints, city: Ints) -> Ints:
        shift: Ints = (load_atlas().offset_hours[city] * HOUR).astype(np.int64)
        return time + shift
