"""Corrections of a model's credit, with which it sums to what each campaign caused in all.

Where credit of a campaign is too much, the same part of all of it becomes organic; where it is too
little, the same part of what is organic in conversions after the campaign's touches becomes credit.
So no campaign takes the whole of its conversions because the sum for it is high.
"""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from scipy.special import ndtr

from attribution.learned.hazard_cells import add_up
from attribution.paths import Codes, Floats, Integers, Paths, positions

_LEAST_CHANCE: Final = 1e-12  # with a lesser one to be within its bounds an estimate is at one


@dataclass(frozen=True)
class Shares:
    """What a model gives the touches of paths, to be corrected.

    Attributes
    ----------
    paths : Paths
        The paths.
    channel : ndarray of shape (touches,)
        The channel of the model; its number of channels for unknown ones.
    given : ndarray of shape (touches,)
        The share of the conversion; 0 where a touch may earn nothing.
    """

    paths: Paths
    channel: Codes
    given: Floats

    @classmethod
    def of(cls, given: Floats, paths: Paths, channels: tuple[str, ...]) -> Self:
        """Return the shares that a model of some channels gives."""
        known = positions(paths.channels, channels, unknown=len(channels))
        return cls(paths, known[paths.touches.channel], given)

    def corrected(self, corrections: Floats) -> Floats:
        """Return the share of each touch.

        Parameters
        ----------
        corrections : ndarray of shape (channels + 1,)
            From -1 to 1. Below 0 the part of its share that each touch of the channel loses, above
            0 the part of what is organic in a path that touches of the channel get. The last is of
            unknown channels.
        """
        part = corrections[self.channel]
        kept = self.given * (1 + np.minimum(part, 0.0))
        rest = np.maximum(1 - add_up(self.paths.of_touch, kept, size=len(self.paths)), 0.0)
        return np.asarray(kept + self._of_rest(part) * rest[self.paths.of_touch])

    def meeting(self, goals: Floats, errors: Floats) -> tuple[Floats, Floats]:
        """Return corrections with which credit sums to goals, and what it sums to.

        Parameters
        ----------
        goals, errors : ndarray of shape (channels,)
            Conversions, and their standard errors.

        Returns
        -------
        corrections : ndarray of shape (channels + 1,)
            From -1 to 1; of unknown channels that of all together.
        earned : ndarray of shape (channels,)
            What credit sums to.
        """
        size = len(goals) + 1
        given = self._sums(self.given, size)
        whole, most = given[:-1].sum(), self._after(size)
        while True:
            wanted = np.append(_possible(goals, errors, most[:-1]), 0.0)
            missing, lacking = wanted.sum() - whole, np.maximum(wanted - given, 0.0)
            less = np.divide(wanted, given, out=np.ones(size), where=given > wanted) - 1
            less[-1] = min(missing / whole, 0.0) if whole > 0 else 0.0
            room = self._room(given, less, lacking)
            # of conversions that several campaigns lack each may get a part only
            near = (lacking > room) & (given + room < most)
            if not near.any():
                break
            most = np.where(near, given + room, most)
        more = np.divide(lacking, room, out=np.zeros(size), where=room > 0)
        if missing > 0 and room.any():
            more[-1] = missing / room.sum()
        corrections = np.asarray(less + np.minimum(more, 1.0))
        return corrections, self._sums(self.corrected(corrections), size)[:-1]

    def _room(self, given: Floats, less: Floats, lacking: Floats) -> Floats:
        """Return how much more campaigns may get that lack some, when all of them get all."""
        lacks = np.where(lacking > 0, 1.0, less)
        found = self._sums(self.corrected(lacks), len(given)) - given
        return np.asarray(np.where(lacking > 0, np.maximum(found, 0.0), 0.0))

    def _of_rest(self, part: Floats) -> Floats:
        """Return the share of each touch in what is organic.

        Of campaigns with a part above 0 in a path each has as much of it, times the part; of the
        touches of a campaign each by what the model gives it.
        """
        earning = np.flatnonzero((self.given > 0) & (part > 0))
        pair, path = self._pairs(earning)
        alike = np.bincount(path, minlength=len(self.paths))  # campaigns of the path
        whole = add_up(pair, self.given[earning], size=len(path))
        share = np.zeros(len(self.given))
        share[earning] = part[earning] * (self.given[earning] / whole[pair]) / alike[path[pair]]
        return share

    def _after(self, size: int) -> Floats:
        """Return the conversions after touches that may earn, by channel."""
        earning = np.flatnonzero(self.given > 0)
        pair, path = self._pairs(earning)
        channel = np.zeros(len(path), dtype=self.channel.dtype)
        channel[pair] = self.channel[earning]
        return add_up(channel, (self.paths.conversions * self.paths.weights)[path], size=size)

    def _sums(self, shares: Floats, size: int) -> Floats:
        """Return the conversions that shares come to, by channel."""
        each = self.paths.conversions * self.paths.weights
        return add_up(self.channel, shares * each[self.paths.of_touch], size=size)

    def _pairs(self, rows: Integers) -> tuple[Integers, Integers]:
        """Return which path and channel each of some touches is of, and the path of each pair."""
        size = int(self.channel.max(initial=0)) + 1
        code = self.paths.of_touch[rows].astype(np.int64) * size + self.channel[rows]
        found, pair = np.unique(code, return_inverse=True)
        return pair, found // size


def _possible(goals: Floats, errors: Floats, most: Floats) -> Floats:
    """Return goals that are not near all there is: means of what their errors leave possible."""
    found = np.minimum(goals, most)
    sure = np.flatnonzero(errors > 0)
    goal, error = goals[sure], errors[sure]
    low, high = -goal / error, (most[sure] - goal) / error
    chance = ndtr(high) - ndtr(low)
    density = np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)
    step = np.divide(
        error * density, np.sqrt(2 * np.pi) * chance,
        out=np.zeros(len(sure)), where=chance > _LEAST_CHANCE,
    )  # fmt: skip
    found[sure] = np.clip(goal + step, 0.0, found[sure])
    return found
