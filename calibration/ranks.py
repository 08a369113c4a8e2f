"""A sample by ascending probability: sorted once, its ties gathered a part at a time.

A figure that needs the order of the rows holds one sorted copy of them and no more. Rows that are
in order already are read as they stand.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import special

from calibration.cells import Cells, Integers
from calibration.rows import Part, parts, slices
from calibration.samples import Bools, Floats, Sample

_ONE: Final = np.uint64(1)
_INNER: Final = 4_096  # cells of fine ones that all rows would make at the size of the inner ones
_OUTER: Final = 512  # rows from an end at which a cell is of two rows
_LOGIT_STEP: Final = 1 / 64  # a fine cell spans no more log-odds than this
_EDGE: Final = 1e-7  # places among cells closer than this differ by the rounding of sums only


def in_order(sample: Sample) -> Sample:
    """Return a copy of the rows by ascending probability, then outcome, then weight.

    Parameters
    ----------
    sample : Sample
        The rows; those of weight 0 are left out.
    """
    bits, weights = _sorted(sample)
    happened = np.empty(len(bits), dtype=np.bool_)
    np.bitwise_and(bits, _ONE, out=happened, casting="unsafe")
    bits >>= _ONE
    return Sample(happened, bits.view(np.float64), weights)


def ties(sample: Sample) -> Iterator[Cells]:
    """Yield a cell for each distinct probability, ascending, some at a time; none has weight 0."""
    return _ties(_ordered(sample)())


def isotonic_blocks(sample: Sample, rows: Bools | None = None) -> Cells:
    """Return the blocks of the isotonic regression of the outcomes on the probabilities.

    Blocks of blocks are the blocks of the rows, so each part is pooled before the next is read.

    Parameters
    ----------
    sample : Sample
        The rows; those of weight 0 are left out.
    rows : ndarray of bool, shape (n,), optional
        Which of them are meant; all when omitted.
    """
    return Cells.joined([cells.pool() for cells in _ties(_ordered(sample, rows)())]).pool()


def gather(sample: Sample, most: int | None = None, *, by_events: bool = False) -> Cells:
    """Return the rows in cells of equal weight, or one cell for each probability.

    Parameters
    ----------
    sample : Sample
        The rows; those of weight 0 are left out.
    most : int, optional
        How many cells, at most: ties go where the middle of their weight falls, so fewer where they
        are heavier than a cell. Each distinct probability is a cell when omitted.
    by_events : bool
        Whether rows are dealt by weight and by events, half and half: so rare events do not all end
        up in a few cells at the top.
    """
    if most is None:
        return Cells.joined(list(ties(sample)))
    return _dealt(ties(sample), most, sample.size, sample.events if by_events else 0.0)


def gather_finely(sample: Sample) -> Cells:
    """Return the rows in cells that get finer towards both ends, however rare events are.

    A cell holds a 512th of the rows beyond it, at least one and at most a 4,096th of all, and spans
    no more than a 64th in log-odds. Rows that are no more than 4,096 are a cell for each
    probability.

    Parameters
    ----------
    sample : Sample
        The rows; those of weight 0 are left out.
    """
    rows = _count(sample, None)
    if rows <= _INNER:
        return gather(sample)
    row, size = sample.size / rows, sample.size
    gathered, keys = [], []
    before = 0.0
    for cells in ties(sample):
        reached = before + np.cumsum(cells.weight)
        middle = reached - cells.weight / 2
        before = float(reached[-1])
        lower = _fine_number(middle / row, rows)
        upper = _fine_number((size - middle) / row, rows)
        logit = np.clip(special.logit(cells.lowest), -40, 40)
        key = np.stack([np.where(2 * middle < size, lower, 1e9 - upper), logit // _LOGIT_STEP])
        starts = np.flatnonzero((np.diff(key, prepend=np.nan) != 0).any(axis=0))
        gathered.append(cells.merge(starts))
        keys.append(key[:, starts])
    changed = np.diff(np.concatenate(keys, axis=1), prepend=np.nan) != 0
    return Cells.joined(gathered).merge(np.flatnonzero(changed.any(axis=0)))


def _fine_number(rows: Floats, whole: int) -> Floats:
    """Return the number, from an end, of the cell that lies so many rows from it."""
    near = np.minimum(rows, _OUTER * (whole / _INNER - 1))
    number = _OUTER * np.log1p(near / _OUTER) + (rows - near) * (_INNER / whole)
    return np.asarray(np.floor(number + _EDGE))


def gather_many(sample: Sample, most: int, *, by_events: bool) -> Cells:
    """Return a cell for each probability, unless there are more than so many: then :func:`gather`.

    Parameters
    ----------
    sample, most, by_events
        As :func:`gather` takes them.
    """
    ordered = _ordered(sample)
    if sum(len(cells) for cells in _ties(ordered())) <= most:
        return Cells.joined(list(_ties(ordered())))
    return _dealt(_ties(ordered()), most, sample.size, sample.events if by_events else 0.0)


def _dealt(tied: Iterator[Cells], most: int, size: float, events: float) -> Cells:
    """Return ties in cells of equal weight, and half by events unless there are none to deal by."""
    gathered, numbers = [], []
    before = events_before = 0.0
    for cells in tied:
        reached = before + np.cumsum(cells.weight)
        number = (reached - cells.weight / 2) * (most / size)
        before = float(reached[-1])
        if events:
            passed = events_before + np.cumsum(cells.events)
            number = (number + (passed - cells.events / 2) * (most / events)) / 2
            events_before = float(passed[-1])
        place = np.minimum((number + _EDGE).astype(np.int64), most - 1)
        starts = _changes(place)
        gathered.append(cells.merge(starts))
        numbers.append(place[starts])
    return Cells.joined(gathered).merge(_changes(np.concatenate(numbers)))


def _ordered(sample: Sample, rows: Bools | None = None) -> Callable[[], Iterator[Part]]:
    """Sort rows, unless they are in order; return what yields them, as often as it is asked."""
    if _ascends(sample.probability):
        return partial(_chosen, sample, rows)
    return partial(_decoded, *_sorted(sample, rows))


def _sorted(
    sample: Sample, rows: Bools | None = None
) -> tuple[npt.NDArray[np.uint64], Floats | None]:
    """Return rows of weight above 0 as keys, by probability, then outcome, then weight; weights.

    Floats that are not negative sort as their bits do, whose first two are 0 up to 1.0. Moved by
    one they make room for the outcome, so one sort in place moves both: half the memory and time of
    sorting an index. Moved, they are bits of a float again, and with the weight those of a complex
    number, which NumPy sorts by its real part first.
    """
    columns = np.empty(_count(sample, rows), np.uint64 if sample.weight is None else np.complex128)
    bits, weights = columns.view(np.uint64), None
    if sample.weight is not None:
        bits, weights = bits[::2], columns.imag
    end = 0
    for part in _chosen(sample, rows):
        keys = (part.probability + 0.0).view(np.uint64)  # + 0.0 turns -0.0 into 0.0
        keys <<= _ONE
        place = slice(end, end + len(keys))
        np.bitwise_or(keys, part.happened, out=bits[place])
        if weights is not None and part.weight is not None:
            weights[place] = part.weight
        end = place.stop
    columns.sort()
    return bits, weights


def _chosen(sample: Sample, rows: Bools | None) -> Iterator[Part]:
    """Yield rows in order, some at a time; none of weight 0."""
    start = 0
    for part in parts(sample):
        wanted = None if rows is None else rows[start : start + len(part.happened)]
        start += len(part.happened)
        if part.weight is not None and not part.weight.all():
            counts = part.weight > 0
            wanted = counts if wanted is None else wanted & counts
        yield part if wanted is None else part.where(wanted)


def _decoded(bits: npt.NDArray[np.uint64], weights: Floats | None) -> Iterator[Part]:
    """Yield the rows that keys stand for."""
    for some in slices(len(bits)):
        keys = bits[some]
        probability = (keys >> _ONE).view(np.float64)
        weight = None if weights is None else weights[some]
        yield Part((keys & _ONE).astype(np.bool_), probability, weight)


def _ties(ordered: Iterator[Part]) -> Iterator[Cells]:
    """Yield a cell for each distinct probability of rows in order."""
    last: Cells | None = None  # the next rows may belong to it
    for part in ordered:
        if not len(part.happened):
            continue
        cells = _ties_of(part)
        if last is not None and last.lowest[0] == cells.lowest[0]:
            both = Cells.joined([last, cells.part(slice(1))]).merge(np.zeros(1, dtype=np.int64))
            last, cells = replace(both, values=np.ones(1)), cells.part(slice(1, None))
            if not len(cells):
                continue
        if last is not None:
            yield last
        if len(cells) > 1:
            yield cells.part(slice(-1))
        last = cells.part(np.array([-1]))  # a copy, which does not keep the others
    if last is not None:
        yield last


def _changes(numbers: Integers) -> Integers:
    """Return where numbers of at least 0 differ from the one before; the first does."""
    return np.flatnonzero(np.diff(numbers, prepend=-1))


def _count(sample: Sample, rows: Bools | None) -> int:
    """Return how many rows are wanted and weigh more than 0."""
    if sample.weight is None:
        return len(sample) if rows is None else int(np.count_nonzero(rows))
    if rows is None:
        return int(np.count_nonzero(sample.weight))
    return int(np.count_nonzero(sample.weight[rows]))


def _ascends(probability: Floats) -> bool:
    """Tell whether no probability is below the one before."""
    step = 65_536
    return all(
        bool((part[1:] >= part[:-1]).all())
        for part in (probability[s : s + step + 1] for s in range(0, len(probability), step))
    )


def _ties_of(part: Part) -> Cells:
    """Return the cells of rows in order, of which there is at least one."""
    score = part.probability + 0.0
    starts = np.flatnonzero(np.diff(score, prepend=-1.0))
    lowest = score[starts]
    events = part.happened.astype(np.float64)
    if part.weight is None:
        total = square = np.diff(starts, append=len(score)).astype(np.float64)
    else:
        weight = np.ascontiguousarray(part.weight)
        events *= weight
        total, square = _sums(weight, starts), _sums(weight**2, starts)
    ones = np.ones(len(starts))
    return Cells(lowest, lowest, total, square, _sums(events, starts), total * lowest, ones)


def _sums(values: Floats, starts: Integers) -> Floats:
    sums: Floats = values if len(starts) == len(values) else np.add.reduceat(values, starts)
    return sums
