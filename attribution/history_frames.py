"""The histories of users in the warehouse: what fitted models learn from."""

from datetime import date
from typing import Final

from attribution.conversions import DAY_US
from attribution.histories import Histories
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

_EPOCH: Final = date(1970, 1, 1)


def read_histories(warehouse: Warehouse, first_day: date, last_day: date) -> Histories:
    """Return what users saw and did on some log days.

    A user's segment is his quarter of all users by logged activity. Users without touch and
    conversion at an advertiser are counted together, by advertiser and segment. Watching begins
    with the first log day that has touches. Needs the credit of the days' conversions under a model
    that is not fitted: it says which of them are no person's.

    Parameters
    ----------
    warehouse : Warehouse
        Where the logs and the matches are.
    first_day, last_day : date
        The log days.

    Raises
    ------
    InsufficientDataError
        If none of the days has touches.
    """
    days = {"first_day": first_day, "last_day": last_day}
    begin: date | None = warehouse.query("attribution/history_days", **days).item()
    if begin is None:
        raise InsufficientDataError(
            f"log days {first_day} to {last_day}: none has touches. Ingest touchpoints."
        )
    days["first_day"] = begin
    find_segments(warehouse, begin, last_day)
    warehouse.execute("attribution/history_touches", **days)
    warehouse.execute("attribution/history_conversions", **days)
    warehouse.execute("attribution/histories")
    return Histories.of(
        warehouse.query("attribution/history_rows"),
        warehouse.query("attribution/history_touch_rows"),
        warehouse.query("attribution/history_conversion_rows"),
        start_us=_midnight_us(begin),
        end_us=_midnight_us(last_day) + DAY_US,
    )


def find_segments(warehouse: Warehouse, first_day: date, last_day: date) -> None:
    """Make history_users: the quarter of each user by the activity of some log days."""
    warehouse.execute("attribution/history_users", first_day=first_day, last_day=last_day)


def day_of(time_us: int) -> date:
    """Return the date of a time in microseconds since 1970."""
    return date.fromordinal(_EPOCH.toordinal() + time_us // DAY_US)


def _midnight_us(day: date) -> int:
    return (day - _EPOCH).days * DAY_US
