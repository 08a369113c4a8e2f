"""Rows gathered by probability: their sums, and the isotonic regression of their rates.

References
----------
Ayer, Brunk, Ewing, Reid and Silverman, "An empirical distribution function for sampling with
incomplete information", Annals of Mathematical Statistics 1955, for pooling adjacent violators.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from calibration.samples import Floats

Integers = npt.NDArray[np.int64]

_SAME: Final = 1e-12  # rates closer than this, relatively, differ by rounding only


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
        return np.minimum(self.events / self.weight, 1.0)  # sums may differ by rounding

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Put cells one after another."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: np.concatenate([getattr(p, name) for p in parts]) for name in names})

    def part(self, rows: slice | npt.NDArray[np.bool_] | Integers) -> Self:
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
        from scipy.optimize import isotonic_regression  # slow to import, and few figures need it

        fit = isotonic_regression(self.rate, weights=self.weight)
        blocks = self.merge(np.asarray(fit.blocks[:-1], dtype=np.int64))
        rise = np.diff(blocks.rate, prepend=-np.inf)  # blocks of one rate are one block
        return blocks.merge(np.flatnonzero(rise > _SAME * np.maximum(blocks.rate, _SAME)))

    def interpolate(self, rate: Floats, probability: Floats) -> Floats:
        """Return rates at probabilities: within a cell its own, between two on the line."""
        knots = np.column_stack([self.lowest, self.highest]).ravel()
        return np.asarray(np.interp(probability, knots, np.repeat(rate, 2)))
