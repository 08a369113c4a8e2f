"""Rows in order of their score, in parts, so that ten million need one sorted copy and no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from calibration.samples import Bools, Floats, Sample

_ROWS_AT_ONCE: Final = 500_000
_ONE: Final = np.uint64(1)


@dataclass(frozen=True)
class Groups:
    """Neighbouring scores taken together, ascending.

    Attributes
    ----------
    first, last : ndarray of float, shape (k,)
        The lowest and the highest score of each group.
    weight, events, expected : ndarray of float, shape (k,)
        Its weight, that of its events, and the weighted sum of its scores.
    """

    first: Floats
    last: Floats
    weight: Floats
    events: Floats
    expected: Floats

    @property
    def rate(self) -> Floats:
        """The share of events of each group."""
        return self.events / self.weight

    @classmethod
    def joined(cls, parts: list[Self]) -> Self:
        """Put groups one after another."""
        columns = zip(*(part.columns for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    @property
    def columns(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """The attributes in their order."""
        return self.first, self.last, self.weight, self.events, self.expected

    def merged(self, starts: npt.NDArray[np.intp]) -> "Groups":
        """Take together the groups from each start up to the next."""
        ends = np.append(starts[1:], len(self.first)) - 1
        sums = [np.add.reduceat(column, starts) for column in self.columns[2:]]
        return Groups(self.first[starts], self.last[ends], *sums)

    def pooled(self) -> "Groups":
        """Take together what isotonic regression gives one value (pool adjacent violators)."""
        fit = isotonic_regression(self.rate, weights=self.weight)
        return self.merged(np.asarray(fit.blocks[:-1], dtype=np.intp))


class Ranks:
    """A sample in order of its scores; the sample is left as it is.

    Parameters
    ----------
    sample : Sample
        Rows of weight above 0.
    """

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        if sample.weight is None:
            # A float of at least 0 sorts like its bits, whose first two are 0 up to 1.0: moved by
            # one, they make room for the outcome, and one sort in place moves both.
            keys = (sample.probability + 0.0).view(np.uint64)
            keys <<= _ONE
            keys |= sample.happened
            keys.sort()
            self._keys = keys
        else:
            self._order = np.argsort(sample.probability)

    def distinct(self) -> Iterator[Groups]:
        """Yield groups of one score each, some at a time, ascending."""
        held: Groups | None = None
        for scores, happened, weights in self._parts():
            starts = np.flatnonzero(np.diff(scores, prepend=-1.0))
            alone = Groups(scores, scores, weights, weights * happened, weights * scores)
            groups = alone.merged(starts)
            if held is not None:  # rows of one score may lie in two parts
                groups = Groups.joined([held, groups])
                groups = groups.merged(np.flatnonzero(np.diff(groups.first, prepend=-1.0)))
            held = Groups(*(column[-1:] for column in groups.columns))
            yield Groups(*(column[:-1] for column in groups.columns))
        if held is not None:
            yield held

    def isotonic(self) -> Groups:
        """Return the blocks of the isotonic regression of the outcome on the score.

        Blocks of blocks are the blocks of the rows, so that each part is pooled by itself first.
        """
        blocks = [groups.pooled() for groups in self.distinct() if len(groups.first)]
        return Groups.joined(blocks).pooled()

    def grouped(self, most: int, *, by_events: bool) -> Groups:
        """Return groups of one score each, or at most so many of neighbours.

        Parameters
        ----------
        most : int
            How many groups at most. Where there are more scores, each takes about as many rows.
        by_events : bool
            Whether they are dealt by rows and by events, half and half: so rare events do not all
            end up in a few groups at the top.
        """
        if sum(len(groups.first) for groups in self.distinct()) <= most:
            return Groups.joined(list(self.distinct()))
        parts = list(self._placed(most, by_events=by_events))
        joined = Groups.joined([groups for _, groups in parts])
        places = np.concatenate([place for place, _ in parts])
        return joined.merged(np.flatnonzero(np.diff(places, prepend=-1)))

    def _placed(
        self, most: int, *, by_events: bool
    ) -> Iterator[tuple[npt.NDArray[np.int64], Groups]]:
        """Yield groups of neighbours with the number that each has among at most so many."""
        size, events = self._sample.size, self._sample.events if by_events else 0.0
        seen = seen_events = 0.0
        for groups in self.distinct():
            if not len(groups.first):
                continue
            rank = (seen + np.cumsum(groups.weight) - groups.weight / 2) / size
            if events:
                passed = seen_events + np.cumsum(groups.events) - groups.events / 2
                rank = (rank + passed / events) / 2
            seen += float(groups.weight.sum())
            seen_events += float(groups.events.sum())
            place = np.minimum((rank * most).astype(np.int64), most - 1)
            starts = np.flatnonzero(np.diff(place, prepend=-1))
            yield place[starts], groups.merged(starts)

    def _parts(self) -> Iterator[tuple[Floats, Bools, Floats]]:
        """Yield scores, outcomes and weights of rows, ascending by score."""
        sample = self._sample
        for start in range(0, len(sample), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            if sample.weight is None:
                keys = self._keys[part]
                scores = (keys >> _ONE).view(np.float64)
                yield scores, (keys & _ONE).astype(np.bool_), np.ones(len(keys))
            else:
                rows = self._order[part]
                yield sample.probability[rows], sample.happened[rows], sample.weight[rows]
