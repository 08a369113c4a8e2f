"""How often each unit is drawn, and what resamples sum to.

A unit is drawn as often as a Poisson variable of mean 1 says, which is the limit of drawing as many
units as there are with replacement. A resample is never written out: it is a weight for each unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from calibration.samples import Floats
from calibration.units import Terms, Units

_WEIGHTS_AT_ONCE: Final = 500_000  # a block of weights stays in the cache


@dataclass(frozen=True)
class Resamples:
    """Sums of a sample and of resamples.

    Attributes
    ----------
    units : int
        How many units were resampled, before groups were made of them.
    whole : ndarray of float64, shape (d,)
        The sums of the sample.
    drawn : ndarray of float64, shape (k, d)
        Those of the resamples.
    generator : Generator
        For what else is drawn.
    """

    units: int
    whole: Floats
    drawn: Floats
    generator: np.random.Generator

    @classmethod
    def of(cls, terms: Terms, units: Units, repetitions: int, seed: int) -> Self:
        """Draw resamples and add up what their rows add, some columns at a time.

        Parameters
        ----------
        terms : Terms
            What the rows add.
        units : Units
            The rows, and what is drawn whole.
        repetitions : int
            How many resamples.
        seed : int
            Of the draws.
        """
        generator = np.random.default_rng(seed)
        whole, drawn = np.empty(terms.columns), np.empty((repetitions, terms.columns))
        counts: list[npt.NDArray[np.uint8]] = []
        first = 0
        for table in units.tables(terms, generator):
            count = table.shape[1]
            # every table needs the same draws; as counts they take an eighth of the room
            counts = counts or [w.astype(np.uint8) for w in draws(count, repetitions, generator)]
            columns = slice(first, first + table.shape[0])
            whole[columns] = table @ np.ones(count)
            start = 0
            for some in counts:
                end = start + some.shape[1]
                drawn[start:end, columns] = (table @ some.astype(np.float64)).T
                start = end
            first = columns.stop
        return cls(len(units), whole, drawn, generator)


def draws(units: int, repetitions: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each unit is drawn, some resamples at a time, shape (units, k)."""
    at_once = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, repetitions, at_once):
        shape = (units, min(at_once, repetitions - start))
        yield _ONCE[generator.integers(0, len(_ONCE), shape, dtype=np.uint16)]


def _poisson_quantiles() -> Floats:
    """Return the Poisson variable of mean 1 at 65,536 evenly spaced quantiles."""
    terms = np.cumprod([np.exp(-1.0), *(1 / k for k in range(1, 20))])
    quantiles = np.searchsorted(np.cumsum(terms), (np.arange(2**16) + 0.5) / 2**16)
    return quantiles.astype(np.float64)


_ONCE: Final = _poisson_quantiles()
