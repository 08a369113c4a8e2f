"""A sample's rows in parts, as they came or by probability, so that no figure needs many copies."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from calibration.samples import Bools, Floats, Sample

_ROWS_AT_ONCE: Final = 65_536  # a part and its temporaries stay in the processor's cache

_Keys = npt.NDArray[np.uint64] | npt.NDArray[np.complex128]


class Part(NamedTuple):
    """Some rows of a sample; views of it.

    Attributes
    ----------
    happened : ndarray of bool, shape (m,)
    probability : ndarray of float64, shape (m,)
    weight : ndarray of float64, shape (m,), or None
        None when every row counts 1.
    """

    happened: Bools
    probability: Floats
    weight: Floats | None

    def weigh(self, values: Floats) -> Floats:
        """Return values times the weights of their rows."""
        return values if self.weight is None else values * self.weight


class Groups(NamedTuple):
    """Rows of equal probability, taken together; probabilities ascend and never repeat.

    Attributes
    ----------
    probability, weight, events : ndarray of float64, shape (g,)
        The probability, the weight of its rows, and of those where the event happened.
    """

    probability: Floats
    weight: Floats
    events: Floats


def parts(sample: Sample) -> Iterator[Part]:
    """Yield the rows in order, some thousand at a time."""
    for start in range(0, len(sample), _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        weight = None if sample.weight is None else sample.weight[rows]
        yield Part(sample.happened[rows], sample.probability[rows], weight)


def tied_groups(sample: Sample) -> Iterator[Groups]:
    """Yield the groups of equal probability, ascending, some at a time; none has weight 0.

    One copy of the probabilities (and one of the weights, if any) is made and sorted in place.
    What is yielded does not depend on the order of the rows, but for the rounding of sums.
    """
    keys = _sorted_keys(sample)
    open_group: Groups | None = None  # the next rows may belong to it
    for start in range(0, len(keys), _ROWS_AT_ONCE):
        groups = _group(keys[start : start + _ROWS_AT_ONCE])
        if open_group is not None:
            groups = _joined(open_group, groups)
        open_group = Groups(*(column[-1:] for column in groups))
        yield _weighty(Groups(*(column[:-1] for column in groups)))
    if open_group is not None:
        yield _weighty(open_group)


def _sorted_keys(sample: Sample) -> _Keys:
    """Return one sorted array that holds each row's probability, outcome and weight.

    Floats that are not negative sort as their bits do and leave the sign bit free, so without
    weights the outcome takes the lowest bit: half the memory and time of sorting an index. With
    weights the row is a complex number, which NumPy sorts by its real part first.
    """
    if sample.weight is None:
        keys = np.empty(len(sample), dtype=np.uint64)
        np.add(sample.probability, 0.0, out=keys.view(np.float64))  # turns -0.0 into 0.0
        keys <<= np.uint64(1)
        keys |= sample.happened
        keys.sort()
        return keys
    rows, start = np.empty(len(sample), dtype=np.complex128), 0
    for part in parts(sample):
        weight = part.weigh(np.where(part.happened, 1.0, -1.0))
        place = slice(start, start + len(weight))
        rows.real[place], rows.imag[place] = part.probability + 0.0, weight
        start = place.stop
    rows.sort()
    return rows


def _group(keys: _Keys) -> Groups:
    """Return the groups of some rows; a group of weight 0 may be among them."""
    probability: Floats
    if keys.dtype == np.uint64:
        bits = keys.astype(np.uint64, copy=False)
        probability = (bits >> np.uint64(1)).view(np.float64)
        weight, events = np.ones(len(bits)), (bits & np.uint64(1)).astype(np.float64)
    else:
        rows = keys.astype(np.complex128, copy=False)
        probability, weight = np.ascontiguousarray(rows.real), np.abs(rows.imag)
        events = np.maximum(rows.imag, 0.0)
    starts = np.flatnonzero(np.diff(probability, prepend=-1.0))
    if len(starts) == len(keys):
        return Groups(probability, weight, events)
    sums = (np.add.reduceat(column, starts) for column in (weight, events))
    return Groups(probability[starts], *sums)


def _joined(before: Groups, after: Groups) -> Groups:
    """Return both, the last group of one and the first of the other as one if they are equal."""
    if before.probability[-1] != after.probability[0]:
        return Groups(*(np.concatenate(pair) for pair in zip(before, after, strict=True)))
    after.weight[0] += before.weight[-1]
    after.events[0] += before.events[-1]
    return after


def _weighty(groups: Groups) -> Groups:
    if groups.weight.all():
        return groups
    return Groups(*(column[groups.weight > 0] for column in groups))
