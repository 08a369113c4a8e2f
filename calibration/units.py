"""What a bootstrap draws whole: rows or clusters, in an order of their own, and how often each.

A unit is drawn as often as a Poisson variable of mean 1 says, which is the limit of drawing as many
units as there are with replacement. A resample is never written out: it is a weight for each unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from calibration.errors import InvalidSampleError
from calibration.samples import Floats, Sample

Integers = npt.NDArray[np.int64]

MOST_UNITS: Final = 5_000
_WEIGHTS_AT_ONCE: Final = 500_000  # a block of weights stays in the cache


@dataclass(frozen=True)
class Units:
    """Rows that count, by cluster and content, and the unit of each.

    Attributes
    ----------
    order : ndarray of int, shape (m,)
        Where the rows stood.
    sample : Sample
        The rows in their new order; none of weight 0.
    unit : ndarray of int, shape (m,)
        From 0, ascending.
    """

    order: Integers
    sample: Sample
    unit: Integers

    @classmethod
    def of(
        cls, sample: Sample, clusters: npt.ArrayLike | pl.Series | None, *further: npt.NDArray[Any]
    ) -> Self:
        """Order rows, so that the order in which they came does not matter.

        Parameters
        ----------
        sample : Sample
            The rows as they came.
        clusters : array_like or Series of shape (n,), optional
            What each row belongs to; each row is a unit when omitted.
        *further : ndarray of shape (n,)
            What else tells rows apart.

        Raises
        ------
        InvalidSampleError
            If there are more or fewer clusters than rows, or one is null.
        """
        keys: list[npt.NDArray[Any]] = [*further, sample.happened, sample.probability]
        if sample.weight is not None:
            keys.insert(0, sample.weight)
        codes = None if clusters is None else _ranks(clusters, len(sample))
        if codes is not None:
            keys.append(codes)
        order: Integers = np.lexsort(keys)
        weight = None
        if sample.weight is not None:
            order = order[sample.weight[order] > 0]
            weight = sample.weight[order]
        unit: Integers = np.arange(len(order))
        if codes is not None:
            unit = np.cumsum(np.diff(codes[order], prepend=codes[order[0]]) > 0)
        return cls(order, Sample(sample.happened[order], sample.probability[order], weight), unit)

    def __len__(self) -> int:
        return int(self.unit[-1]) + 1

    def collect(self, terms: Any, generator: np.random.Generator) -> Any:
        """Return the weighted sums of terms by unit, a csr_array of shape (columns, units).

        Of more than ``MOST_UNITS`` units random groups are made, which leaves the spread of sums
        as it is and makes resampling as fast as of few.

        Parameters
        ----------
        terms : csr_array of float64, shape (m, columns)
            What a row of weight 1 adds. Weights are scaled to a mean of 1.
        generator : Generator
            Of the groups.
        """
        unit, units = self.unit, len(self)
        if units > MOST_UNITS:
            unit = generator.integers(0, MOST_UNITS, units)[unit]
            units = MOST_UNITS
        weight = self.sample.weight
        mass = np.ones(len(unit)) if weight is None else weight / weight.mean()
        rows = np.arange(len(unit))
        return (sparse.csr_array((mass, (unit, rows)), (units, len(unit))) @ terms).T.tocsr()


def draws(units: int, repetitions: int, generator: np.random.Generator) -> Iterator[Floats]:
    """Yield how often each unit is drawn, some resamples at a time, shape (units, k)."""
    at_once = max(1, _WEIGHTS_AT_ONCE // units)
    for start in range(0, repetitions, at_once):
        shape = (units, min(at_once, repetitions - start))
        yield _ONCE[generator.integers(0, len(_ONCE), shape, dtype=np.uint16)]


def _ranks(clusters: npt.ArrayLike | pl.Series, rows: int) -> Integers:
    """Return the rank of each row's cluster among the clusters."""
    series = clusters if isinstance(clusters, pl.Series) else pl.Series(np.asarray(clusters))
    if len(series) != rows:
        raise InvalidSampleError(f"clusters has {len(series)} rows, y_true {rows}: give as many")
    if nulls := series.null_count():
        raise InvalidSampleError(f"clusters: {nulls} of {rows} are null; name one for each row")
    return series.rank("dense").to_numpy().astype(np.int64)


def _poisson_quantiles() -> Floats:
    """Return the Poisson variable of mean 1 at 65,536 evenly spaced quantiles."""
    terms = np.cumprod([np.exp(-1.0), *(1 / k for k in range(1, 20))])
    quantiles = np.searchsorted(np.cumsum(terms), (np.arange(2**16) + 0.5) / 2**16)
    return quantiles.astype(np.float64)


_ONCE: Final = _poisson_quantiles()
