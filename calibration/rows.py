"""A sample's rows in parts, as they came, so that no figure needs copies of its own."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from calibration.samples import Bools, Floats, Sample

_ROWS_AT_ONCE: Final = 65_536  # a part and its temporaries stay in the processor's cache


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

    def where(self, rows: Bools) -> "Part":
        """Return some of the rows."""
        weight = None if self.weight is None else self.weight[rows]
        return Part(self.happened[rows], self.probability[rows], weight)

    def weigh(self, values: Floats) -> Floats:
        """Return values times the weights of their rows."""
        return values if self.weight is None else values * self.weight


def slices(count: int) -> Iterator[slice]:
    """Yield parts of so many rows, in order; the last may reach beyond them."""
    return (slice(start, start + _ROWS_AT_ONCE) for start in range(0, count, _ROWS_AT_ONCE))


def parts(sample: Sample) -> Iterator[Part]:
    """Yield the rows in order, some thousand at a time."""
    for rows in slices(len(sample)):
        weight = None if sample.weight is None else sample.weight[rows]
        yield Part(sample.happened[rows], sample.probability[rows], weight)
