"""Touches shown before a conversion, or before watching ended without one: what models divide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from attribution.conversions import HOUR_US

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]

KINDS: Final = ("click", "engaged_view", "impression")
"""Kinds of touches; elsewhere a kind is its position here."""
LOOKBACK_US: Final = 7 * 24 * HOUR_US
"""How long before a conversion a touch may lie, unless told otherwise."""


def positions(names: Sequence[str], known: Sequence[str], *, unknown: int = -1) -> Codes:
    """Return the position of each name among the known ones, shape (names,)."""
    place = {name: number for number, name in enumerate(known)}
    return np.array([place.get(name, unknown) for name in names], dtype=np.int32)


@dataclass(frozen=True)
class Touches:
    """Touches of histories or paths, a row each, in the order of time within each.

    Attributes
    ----------
    channel : ndarray of int32, shape (n,)
        The campaign: its position in ``channels`` of what holds the touches.
    kind : ndarray of int32, shape (n,)
        Position in :data:`KINDS`.
    time_us : ndarray of int64, shape (n,)
        Microseconds since 1970.
    shown : ndarray of bool, shape (n,)
        False: an ad withheld by a holdout, which earns nothing.
    """

    channel: Codes
    kind: Codes
    time_us: Integers
    shown: Bools

    def __len__(self) -> int:
        return len(self.channel)

    def take(self, rows: Integers) -> "Touches":
        """Return the touches at some rows."""
        return Touches(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class Paths:
    """Touches shown before a conversion, or before watching ended without one.

    Attributes
    ----------
    channels, advertisers, segments : tuple of str
        Names of campaigns, of advertisers and of users' segments; elsewhere each is its position.
    offsets : ndarray of int64, shape (paths + 1,)
        The touches of path k are the rows from ``offsets[k]`` up to ``offsets[k + 1]``.
    touches : Touches
        All of them were shown.
    end_us : ndarray of int64, shape (paths,)
        When it converted, or when watching ended.
    conversions : ndarray of float64, shape (paths,)
        The probability that the path converted: 0 for one that only ended.
    values : ndarray of float64, shape (paths,)
        The value of that conversion, in one currency; 0 without one.
    weights : ndarray of float64, shape (paths,)
        How many paths a row stands for.
    user : ndarray of int64, shape (paths,)
        Number of the user: what is drawn anew by a bootstrap.
    advertiser, segment : ndarray of int32, shape (paths,)
        Whose path, and the segment of its user.
    """

    channels: tuple[str, ...]
    advertisers: tuple[str, ...]
    segments: tuple[str, ...]
    offsets: Integers
    touches: Touches
    end_us: Integers
    conversions: Floats
    values: Floats
    weights: Floats
    user: Integers
    advertiser: Codes
    segment: Codes

    def __len__(self) -> int:
        return len(self.conversions)

    @property
    def of_touch(self) -> Integers:
        """The path of each touch, shape (touches,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def age_us(self) -> Integers:
        """How long before the end of its path each touch was, shape (touches,)."""
        ages: Integers = np.repeat(self.end_us, np.diff(self.offsets)) - self.touches.time_us
        return ages

    @classmethod
    def of(
        cls,
        sequences: Sequence[Sequence[str]],
        conversions: Sequence[float],
        *,
        values: Sequence[float] | None = None,
        weights: Sequence[float] | None = None,
    ) -> Self:
        """Return paths of named channels, of one advertiser and a user each, an hour a touch.

        Parameters
        ----------
        sequences : sequence of sequences of str
            The channels of each path in the order of time.
        conversions : sequence of float
            Of each path the probability that it converted: 1 or 0 where that is certain.
        values : sequence of float, optional
            Of each conversion; 1 when omitted.
        weights : sequence of float, optional
            How many paths each stands for; 1 when omitted.
        """
        lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
        names = tuple(sorted({name for sequence in sequences for name in sequence}))
        place = {name: number for number, name in enumerate(names)}
        channel = [place[name] for sequence in sequences for name in sequence]
        paths, touches = len(lengths), int(lengths.sum())
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        nth = np.arange(touches) - np.repeat(offsets[:-1], lengths)
        converted = np.asarray(conversions, dtype=np.float64)
        return cls(
            channels=names,
            advertisers=("all",),
            segments=("all",),
            offsets=offsets,
            touches=Touches(
                np.array(channel, dtype=np.int32),
                np.full(touches, KINDS.index("impression"), dtype=np.int32),
                nth * HOUR_US,
                np.ones(touches, dtype=np.bool_),
            ),
            end_us=lengths * HOUR_US,
            conversions=converted,
            values=np.where(converted > 0, 1.0 if values is None else np.asarray(values), 0.0),
            weights=np.ones(paths) if weights is None else np.asarray(weights, dtype=np.float64),
            user=np.arange(paths),
            advertiser=np.zeros(paths, dtype=np.int32),
            segment=np.zeros(paths, dtype=np.int32),
        )

    def take(self, rows: Integers) -> "Paths":
        """Return the paths at some rows, in the order of the rows."""
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        first = np.repeat(self.offsets[:-1][rows] - offsets[:-1], lengths)
        columns = ("end_us", "conversions", "values", "weights", "user", "advertiser", "segment")
        return Paths(
            channels=self.channels,
            advertisers=self.advertisers,
            segments=self.segments,
            offsets=offsets,
            touches=self.touches.take(first + np.arange(int(offsets[-1]))),
            **{name: getattr(self, name)[rows] for name in columns},
        )
