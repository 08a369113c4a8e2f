"""What a signal and a user share: each sighting of the user compared with the signal.

A kernel over arrays, for it is the dearest part of matching: tens of sightings for each of millions
of pairs. Sightings lie user by user, all tokens of one beside each other, so that those of a pair
are read in one go; pairs are taken some thousand at a time, and the work stays in the cache.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

Integers = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

TOKENS: Final = (
    "address", "network", "site", "device", "agent", "screen", "network_device", "network_screen",
    "address_device", "agent_place", "device_place", "place", "language", "timezone", "purchase",
    "week_part", "system", "form",
)  # fmt: skip
"""The kinds of tokens that pairs are compared by: of each, in how many sightings it is the same."""
TIMED: Final = (
    "address", "network", "device", "address_device", "network_screen", "network_device",
    "agent_place",
)  # fmt: skip
"""Of these also how many hours before or after the signal the nearest such sighting was."""
_PAIRS_AT_ONCE: Final = 4_096
_SIGHTINGS_AT_ONCE: Final = 500_000
_NETWORK: Final = TOKENS.index("network")
_DEVICE: Final = TOKENS.index("device")
_NOT_SEEN: Final = 0
_NOT_SHOWN: Final = 1  # by a signal: equals nothing that was seen
_SHOWN: Final = 2  # a bit of every other token, so that none is 0 or 1
_HOUR_US: Final = 3_600_000_000.0
_NEVER: Final = np.float32(np.inf)


@dataclass(frozen=True)
class Sightings:
    """Sightings as arrays, a row each.

    Attributes
    ----------
    tokens : ndarray of uint32, shape (n, len(TOKENS))
        The lower halves of hashes; one that is missing equals none of the other side.
    time_us : ndarray of int64, shape (n,)
        Microseconds.
    version : ndarray of float32, shape (n,)
        Of the browser; not a number where it is not known.
    signal : ndarray of int32, shape (n,)
        The number of the compared signal that the sighting is; -1 where it is none.
    """

    tokens: npt.NDArray[np.uint32]
    time_us: Integers
    version: Singles
    signal: npt.NDArray[np.int32]

    @classmethod
    def of_users(cls, frame: pl.DataFrame) -> Self:
        """Read the rows of sql/matching/compared_activity.sql."""
        return cls._of(frame, _NOT_SEEN)

    @classmethod
    def of_signals(cls, frame: pl.DataFrame) -> Self:
        """Read the rows of sql/matching/compared_signals.sql."""
        return cls._of(frame, _NOT_SHOWN)

    @classmethod
    def _of(cls, frame: pl.DataFrame, missing: int) -> Self:
        low = (pl.col(TOKENS) & 0xFFFF_FFFF).cast(pl.UInt32) | _SHOWN
        low = low.fill_null(missing)
        tokens = np.empty((len(frame), len(TOKENS)), np.uint32)
        for start in range(0, len(frame), _SIGHTINGS_AT_ONCE):
            part = frame.slice(start, _SIGHTINGS_AT_ONCE).select(low)
            tokens[start : start + len(part)] = part.to_numpy()
        version = frame["browser_major"].cast(pl.Float32).fill_null(np.nan)
        signal = frame["signal_number"].cast(pl.Int32).fill_null(-1)
        return cls(tokens, frame["time_us"].to_numpy(), version.to_numpy(), signal.to_numpy())

    def __len__(self) -> int:
        return len(self.time_us)


@dataclass(frozen=True)
class Activity:
    """Sightings of users, those of user k from ``ends[k - 1]`` up to ``ends[k]``.

    Attributes
    ----------
    sightings : Sightings
        User by user.
    starts, counts : ndarray of int64, shape (users,)
        Where those of each user begin, and how many there are: at least one.
    """

    sightings: Sightings
    starts: Integers
    counts: Integers

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Read the rows of sql/matching/compared_activity.sql, ordered by user_number."""
        counts = np.bincount(frame["user_number"].to_numpy())
        return cls(Sightings.of_users(frame), np.cumsum(counts) - counts, counts)


def find_shared(
    signal: Integers, user: Integers, *, signals: Sightings, activity: Activity
) -> dict[str, Singles]:
    """Return what the pairs of numbered signals and users share.

    Parameters
    ----------
    signal, user : ndarray of int, shape (n,)
        The numbers of each pair.
    signals : Sightings
        One for each signal, in the order of their numbers.
    activity : Activity
        Of the users. A sighting that is the pair's own signal is no evidence, and left out.

    Returns
    -------
    dict of str to ndarray of float32, shape (n,)
        For each of ``TOKENS`` ``KIND_count``, in how many sightings it is the same; for each of
        ``TIMED`` ``KIND_gap_hours``, how far in time the nearest of them is, and
        ``elsewhere_gap_hours``, the nearest on another network; ``highest_version`` of the browser
        on the same device. Not a number where there is no such sighting.
    """
    names = [f"{kind}_count" for kind in TOKENS]
    names += [f"{kind}_gap_hours" for kind in TIMED]
    names += ["elsewhere_gap_hours", "highest_version"]
    result = {name: np.empty(len(signal), np.float32) for name in names}

    def compare(start: int) -> None:
        part = slice(start, start + _PAIRS_AT_ONCE)
        for name, values in _compared(signal[part], user[part], signals, activity).items():
            result[name][part] = values

    with ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        list(workers.map(compare, range(0, len(signal), _PAIRS_AT_ONCE)))
    return result


def _compared(
    signal: Integers, user: Integers, signals: Sightings, activity: Activity
) -> dict[str, npt.NDArray[np.generic]]:
    """Compare a block of pairs; the sightings of each follow those of the one before."""
    counts = activity.counts[user]
    first = np.cumsum(counts) - counts  # of each pair among the sightings of the block
    rows = np.repeat(activity.starts[user] - first, counts) + np.arange(counts.sum())
    seen = activity.sightings
    tokens = seen.tokens[rows]
    wanted = np.repeat(signals.tokens[signal], counts, axis=0)
    own = np.flatnonzero(seen.signal[rows] == np.repeat(signal, counts))
    wanted[own] = _NOT_SHOWN
    same = np.ascontiguousarray((tokens == wanted).T)
    network, sought = tokens[:, _NETWORK], wanted[:, _NETWORK]
    elsewhere = (network != sought) & (network != _NOT_SEEN) & (sought != _NOT_SHOWN)
    apart = np.abs(seen.time_us[rows] - np.repeat(signals.time_us[signal], counts))
    gap = (apart / _HOUR_US).astype(np.float32)
    agreed = np.add.reduceat(same.view(np.uint8), first, axis=1, dtype=np.int32)
    shared = {f"{kind}_count": agreed[place] for place, kind in enumerate(TOKENS)}
    for kind in TIMED:
        shared[f"{kind}_gap_hours"] = _least(gap, same[TOKENS.index(kind)], first)
    shared["elsewhere_gap_hours"] = _least(gap, elsewhere, first)
    version = np.where(same[_DEVICE], seen.version[rows], np.float32(np.nan))
    shared["highest_version"] = np.fmax.reduceat(version, first)
    return shared


def _least(gap: Singles, chosen: Bools, first: Integers) -> Singles:
    """Return the smallest chosen gap of each pair, not a number where none is chosen."""
    least: Singles = np.minimum.reduceat(np.where(chosen, gap, _NEVER), first)
    least[np.isinf(least)] = np.nan
    return least
