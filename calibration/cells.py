"""Rows gathered by probability: sorted a part at a time, so that no second copy is needed.

References
----------
Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling with
incomplete information", Annals of Mathematical Statistics 1955, for pooling adjacent violators.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from calibration.samples import Bools, Floats, Sample

Integers = npt.NDArray[np.int64]

_ROWS_AT_ONCE: Final = 500_000
_CUTS_A_PART: Final = 200  # scores looked at to find where a part ends
_SAME: Final = 1e-12  # rates closer than this, relatively, differ by rounding only
_EDGE: Final = 1e-7  # the same of places among cells, which sum up many weights


@dataclass(frozen=True)
class Cells:
    """Rows gathered into neighbouring cells, by ascending probability; ties are never parted.

    Attributes
    ----------
    lowest, highest : ndarray of float, shape (n,)
        The probabilities between which the rows of a cell lie.
    weight, square, events, expected : ndarray of float, shape (n,)
        Sums over its rows: of the weight, its square, the weight of those where the event happened,
        and the weight times the probability.
    values : ndarray of float, shape (n,)
        How many distinct probabilities it has.
    """

    lowest: Floats
    highest: Floats
    weight: Floats
    square: Floats
    events: Floats
    expected: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def rate(self) -> Floats:
        """The rate of events of each cell."""
        return self.events / self.weight

    def part(self, rows: slice | npt.NDArray[np.bool_]) -> Self:
        """Return some of the cells."""
        return type(self)(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def merge(self, starts: Integers) -> Self:
        """Return the cells that begin at the starts, each of which holds all up to the next."""
        if len(starts) == len(self):
            return self
        ends = np.append(starts[1:], len(self)) - 1
        sums = {
            field.name: np.add.reduceat(getattr(self, field.name), starts)
            for field in fields(self)[2:]
        }
        return type(self)(lowest=self.lowest[starts], highest=self.highest[ends], **sums)

    def pool(self) -> Self:
        """Return the blocks of the isotonic regression of the rates (pool adjacent violators)."""
        fit = isotonic_regression(self.rate, weights=self.weight)
        blocks = self.merge(np.asarray(fit.blocks[:-1], dtype=np.int64))
        rise = np.diff(blocks.rate, prepend=-np.inf)  # blocks of one rate are one block
        return blocks.merge(np.flatnonzero(rise > _SAME * np.maximum(blocks.rate, _SAME)))


def gather(sample: Sample, most: int | None = None) -> Cells:
    """Return the rows in cells of equal weight, or one cell for each probability.

    Parameters
    ----------
    sample : Sample
        The rows; those of weight 0 are left out.
    most : int, optional
        How many cells, at most: fewer where ties are heavier than a cell. Each distinct probability
        is a cell when omitted.
    """
    if most is None:
        return _joined(list(_runs(sample)))
    parts, numbers, before = [], [], 0.0
    for runs in _runs(sample):
        mass = np.cumsum(runs.weight)
        place = (before + mass - runs.weight / 2) * (most / sample.size)
        number = np.floor(place + _EDGE).astype(np.int64)
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        before += float(mass[-1])
        parts.append(runs.merge(starts))
        numbers.append(number[starts])
    return _joined(parts).merge(np.flatnonzero(np.diff(np.concatenate(numbers), prepend=-1)))


def isotonic_blocks(sample: Sample) -> Cells:
    """Return the blocks of the isotonic curve."""
    # a part is pooled before the next is sorted; blocks of blocks are those of the rows
    return _joined([runs.pool() for runs in _runs(sample)]).pool()


def _runs(sample: Sample) -> Iterator[Cells]:
    """Yield a cell for each distinct probability, ascending, a part of the rows at a time."""
    for low, high in _parts(sample.probability):
        inside = sample.probability >= low
        inside &= sample.probability < high
        if sample.weight is not None:
            inside &= sample.weight > 0
        if not inside.any():
            continue
        if high == np.nextafter(low, 2):  # one score, perhaps of most rows: nothing to sort
            yield _one_run(sample, inside, low)
        elif sample.weight is None:
            yield _counted_runs(sample, inside)
        else:
            yield _weighted_runs(sample, sample.weight, inside)


def _counted_runs(sample: Sample, inside: Bools) -> Cells:
    """Return the cells of rows that all weigh 1: scores are sorted alone, which is faster."""
    score = np.sort(sample.probability[inside])
    starts = np.flatnonzero(np.diff(score, prepend=-1.0))
    lowest = score[starts]
    count = np.diff(starts, append=len(score)).astype(np.float64)
    happened = np.sort(sample.probability[inside & sample.happened])
    events = np.bincount(np.searchsorted(lowest, happened), minlength=len(lowest))
    hits = events.astype(np.float64)
    return Cells(lowest, lowest, count, count, hits, count * lowest, np.ones(len(lowest)))


def _weighted_runs(sample: Sample, weights: Floats, inside: Bools) -> Cells:
    rows = np.flatnonzero(inside)
    rows = rows[np.argsort(sample.probability[rows])]
    score, weight = sample.probability[rows], weights[rows]
    starts = np.flatnonzero(np.diff(score, prepend=-1.0))
    lowest, total = score[starts], np.add.reduceat(weight, starts)
    return Cells(
        lowest=lowest,
        highest=lowest,
        weight=total,
        square=np.add.reduceat(weight**2, starts),
        events=np.add.reduceat(weight * sample.happened[rows], starts),
        expected=total * lowest,
        values=np.ones(len(starts)),
    )


def _one_run(sample: Sample, inside: Bools, score: float) -> Cells:
    """Return the cell of rows of one score, which are too many to copy."""
    hits = inside & sample.happened
    if sample.weight is None:
        weight = square = float(np.count_nonzero(inside))
        events = float(np.count_nonzero(hits))
    else:
        weight = float(np.sum(sample.weight, where=inside))
        events = float(np.sum(sample.weight, where=hits))
        square = float(np.einsum("i,i,i->", sample.weight, sample.weight, inside))
    values = (score, score, weight, square, events, weight * score, 1.0)
    return Cells(*(np.array([value]) for value in values))


def _parts(probability: Floats) -> Iterator[tuple[float, float]]:
    """Yield ranges of probability, ascending, that hold about as many rows as are sorted at once.

    A score that fills a part by its ties is a range of its own.
    """
    parts = -(-len(probability) // _ROWS_AT_ONCE)
    if parts == 1:
        yield 0.0, 2.0
        return
    step = max(1, len(probability) // (parts * _CUTS_A_PART))
    looked_at = np.sort(probability[::step])
    cuts = looked_at[len(looked_at) // parts :: len(looked_at) // parts]
    tied = cuts[:-1][np.diff(cuts) == 0]
    ends = np.unique(np.concatenate([[0.0, 2.0], cuts, tied, np.nextafter(tied, 2)]))
    yield from zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)


def _joined(parts: list[Cells]) -> Cells:
    names = [field.name for field in fields(Cells)]
    return Cells(**{n: np.concatenate([getattr(part, n) for part in parts]) for n in names})
