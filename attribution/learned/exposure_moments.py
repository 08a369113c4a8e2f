"""Moments of histories: of conversions, and drawn ones to compare them with.

A moment is a time of a history, or the end of a path, with the touches before it. Conversions
follow clicks by minutes, and moments drawn evenly hardly ever lie as near to a touch. So more are
drawn after touches, at ages about even in their logarithm. The density of both together is known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from attribution.conversions import HOUR_US
from attribution.draws import hash_unit
from attribution.histories import Histories, first_not_before
from attribution.paths import Codes, Floats, Integers, Paths, Touches

FOLDS: Final = 5
_EVEN: Final = 75_000.0  # moments drawn evenly over histories and time
_AFTER: Final = 150_000.0  # and after touches
_MOST: Final = 4.0  # of each, by a history or a touch
_SOON_US: Final = 10_000_000  # ages of draws are even below it, and even in their logarithm above


@dataclass(frozen=True)
class Moments:
    """Times of histories, and the touches before each.

    Attributes
    ----------
    offsets : ndarray of int64, shape (moments + 1,)
        The touches of moment k are the rows from ``offsets[k]`` up to ``offsets[k + 1]``.
    touches : Touches
        Shown and withheld, none after its moment, in the order of time.
    time_us : ndarray of int64, shape (moments,)
        The moments.
    advertiser, segment : ndarray of int32, shape (moments,)
        Whose; -1 where it is not known.
    fold : ndarray of int64, shape (moments,)
        The fold of the user; -1 where rates of all users are to encode the campaigns.
    """

    offsets: Integers
    touches: Touches
    time_us: Integers
    advertiser: Codes
    segment: Codes
    fold: Integers

    def __len__(self) -> int:
        return len(self.time_us)

    @property
    def of_touch(self) -> Integers:
        """The moment of each touch, shape (touches,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


@dataclass(frozen=True)
class Controls:
    """Moments drawn from histories.

    Attributes
    ----------
    history, time_us : ndarray of int64, shape (controls,)
        When, in which history.
    even, after : float
        Expected draws of a history of weight 1: evenly over the time watched, and after each touch.
    """

    history: Integers
    time_us: Integers
    even: float
    after: float

    @classmethod
    def draw(cls, histories: Histories, *, lookback_us: int) -> "Controls":
        """Draw moments by hashes of user and touch, so that the order of rows plays no part."""
        weights = histories.weights
        even = min(_EVEN / weights.sum(), _MOST)
        history, unit = _draw(even * weights, _owner(histories, np.arange(len(histories))), 11)
        span = histories.end_us - histories.start_us
        evenly = histories.start_us + np.floor(unit * span).astype(np.int64)
        touches = histories.touches
        theirs = weights[histories.touch_history]
        after = min(_AFTER / max(theirs.sum(), 1.0), _MOST)
        named = (
            *_owner(histories, histories.touch_history),
            touches.time_us,
            touches.channel.astype(np.int64),
            touches.kind.astype(np.int64),
        )
        row, unit = _draw(after * theirs, named, 12)
        age_us = _SOON_US * np.expm1(unit * np.log1p(lookback_us / _SOON_US))
        later = touches.time_us[row] + np.floor(age_us).astype(np.int64)
        inside = later < histories.end_us
        return cls(
            np.concatenate([history, histories.touch_history[row][inside]]),
            np.concatenate([evenly, later[inside]]),
            float(even),
            float(after),
        )

    def density(
        self, histories: Histories, history: Integers, time_us: Integers, *, lookback_us: int
    ) -> Floats:
        """Return how many draws an hour are expected at moments of histories of weight 1.

        Both ways of drawing are added up, whichever a moment came by: the balance heuristic of
        Veach and Guibas (1995).
        """
        seen = (histories.touch_history, histories.touches.time_us)
        first = first_not_before(*seen, history, time_us - lookback_us)
        beyond = first_not_before(*seen, history, time_us + 1)
        rows, of = _slices(first, beyond)
        hours = (time_us[of] - histories.touches.time_us[rows]) / HOUR_US
        each = 1 / ((hours + _SOON_US / HOUR_US) * np.log1p(lookback_us / _SOON_US))
        near = np.bincount(of, each, len(history))
        evenly = self.even * HOUR_US / (histories.end_us - histories.start_us)
        return np.asarray(evenly + self.after * near, dtype=np.float64)


def folds_of(user: Integers) -> Integers:
    """Return the fold of each user, shape (n,)."""
    return (hash_unit(user, seed=1) * FOLDS).astype(np.int64)


def moments_of(
    histories: Histories,
    history: Integers,
    time_us: Integers,
    *,
    lookback_us: int,
    cut: bool = True,
) -> Moments:
    """Return moments of histories, with the touches since the last conversion before each.

    As in :meth:`Histories.paths`, a touch at the moment itself counts, one older than the look-back
    does not, and neither does one at or before an earlier conversion, unless `cut` is False.
    """
    since = time_us - lookback_us
    if cut and len(histories.conversion_us):
        of, converted_us = histories.conversion_history, histories.conversion_us
        last = first_not_before(of, converted_us, history, time_us) - 1
        row = np.maximum(last, 0)
        theirs = (last >= 0) & (of[row] == history)
        since = np.where(theirs, np.maximum(since, converted_us[row] + 1), since)
    seen = (histories.touch_history, histories.touches.time_us)
    first = first_not_before(*seen, history, since)
    beyond = first_not_before(*seen, history, time_us + 1)
    rows, of_touch = _slices(first, beyond)
    lengths = np.bincount(of_touch, minlength=len(history))
    return Moments(
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        touches=histories.touches.take(rows),
        time_us=time_us,
        advertiser=histories.advertiser[history],
        segment=histories.segment[history],
        fold=folds_of(histories.user[history]),
    )


def moments_of_paths(paths: Paths) -> Moments:
    """Return the ends of paths as moments; campaigns are encoded by the rates of all users."""
    return Moments(
        offsets=paths.offsets,
        touches=paths.touches,
        time_us=paths.end_us,
        advertiser=paths.advertiser,
        segment=paths.segment,
        fold=np.full(len(paths), -1),
    )


def distinct(numbers: Integers) -> Integers:
    """Return numbers at least 0, each once, in order; by sorting, which is faster than hashing."""
    ordered = np.sort(numbers)
    return ordered[np.diff(ordered, prepend=-1) > 0]


def _owner(histories: Histories, history: Integers) -> tuple[Integers, Integers]:
    return histories.user[history], histories.advertiser[history].astype(np.int64)


def _draw(mean: Floats, named: tuple[Integers, ...], seed: int) -> tuple[Integers, Floats]:
    """Return which rows are drawn, as often as their mean, and a number in [0, 1) for each draw."""
    times = np.floor(mean + hash_unit(*named, seed=seed)).astype(np.int64)
    row = np.repeat(np.arange(len(mean)), times)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(times) - times, times)
    return row, hash_unit(*(column[row] for column in named), nth, seed=seed + 100)


def _slices(first: Integers, beyond: Integers) -> tuple[Integers, Integers]:
    """Return the rows of all slices, and the slice of each."""
    lengths = np.maximum(beyond - first, 0)
    of = np.repeat(np.arange(len(first)), lengths)
    start = np.cumsum(lengths) - lengths
    return np.arange(len(of)) + (first - start)[of], of
