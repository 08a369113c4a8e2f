"""Histories of users in the warehouse, and their paths of touches that may earn, for models."""

from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from attribution.conversions import DAY_US
from attribution.histories import Histories
from attribution.paths import KINDS, Codes, Integers, Paths, Touches
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

_EPOCH: Final = date(1970, 1, 1)
_SEGMENTS: Final = tuple(f"quarter {number}" for number in range(1, 5))


def read_histories(warehouse: Warehouse, first_day: date, last_day: date) -> Histories:
    """Return what users saw and did on some log days.

    Conversions are those whose users are known by an identifier other than a click id. A user's
    segment is his quarter of all users by logged activity. Users without touch and
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
    warehouse.execute("attribution/history_known_users", **days)
    warehouse.execute("attribution/history_conversions", **days)
    warehouse.execute("attribution/histories")
    return Histories.of(
        warehouse.query("attribution/history_rows"),
        warehouse.query("attribution/history_touch_rows"),
        warehouse.query("attribution/history_conversion_rows"),
        start_us=_midnight_us(begin),
        end_us=_midnight_us(last_day) + DAY_US,
    )


def read_eligible_paths(warehouse: Warehouse, first_day: date, last_day: date) -> Paths:
    """Return the paths of the histories that were read last: the touches that may earn alone.

    Parameters
    ----------
    warehouse, first_day, last_day
        As of :func:`read_histories`, which must have been called for the same days.
    """
    days = {"first_day": first_day, "last_day": last_day}
    rows = warehouse.query("attribution/history_path_rows", **days)
    told = rows.unique("path", keep="first", maintain_order=True)
    paths = eligible_paths(rows, told["quarter"].to_numpy())
    return replace(paths, conversions=told["probability"].to_numpy())


def eligible_paths(touches: pl.DataFrame, quarter: Integers) -> Paths:
    """Return paths of touches that may earn.

    Parameters
    ----------
    touches : DataFrame
        path, campaign_id, kind, advertiser_id, time_us, end_us; in the order of paths, then of
        time, in any number.
    quarter : ndarray of int64, shape (paths,) or (0,)
        The quarter of each path's user; none where they are not wanted.
    """
    path = touches["path"].to_numpy()
    first = np.flatnonzero(np.diff(path, prepend=path[:1] - 1))
    channels, channel = _coded(touches["campaign_id"])
    advertisers, advertiser = _coded(touches["advertiser_id"])
    kinds = {kind: number for number, kind in enumerate(KINDS)}
    size = len(first)
    return Paths(
        channels=channels,
        advertisers=advertisers,
        segments=_SEGMENTS,
        offsets=np.append(first, len(path)),
        touches=Touches(
            channel,
            touches["kind"].replace_strict(kinds, return_dtype=pl.Int32).to_numpy(),
            touches["time_us"].to_numpy(),
            np.ones(len(path), dtype=np.bool_),
        ),
        end_us=touches["end_us"].to_numpy()[first],
        conversions=np.ones(size),
        values=np.zeros(size),
        weights=np.ones(size),
        user=np.arange(size),
        advertiser=advertiser[first],
        segment=(quarter - 1 if len(quarter) else np.zeros(size)).astype(np.int32),
    )


def find_segments(warehouse: Warehouse, first_day: date, last_day: date) -> None:
    """Make history_users: the quarter of each user by the activity of some log days."""
    warehouse.execute("attribution/history_users", first_day=first_day, last_day=last_day)


def day_of(time_us: int) -> date:
    """Return the date of a time in microseconds since 1970."""
    return date.fromordinal(_EPOCH.toordinal() + time_us // DAY_US)


def _coded(names: pl.Series) -> tuple[tuple[str, ...], Codes]:
    """Return the names in order, and the number of each row's."""
    known = names.unique().sort()
    return tuple(known), known.search_sorted(names).cast(pl.Int32).to_numpy()


def _midnight_us(day: date) -> int:
    return (day - _EPOCH).days * DAY_US
