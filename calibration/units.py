"""What a bootstrap draws whole: rows or clusters, in an order of their own, and their sums.

What rows add to sums is computed some rows at a time, so one ordered copy of the rows is all that
is held.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import sparse

from calibration.errors import InvalidSampleError
from calibration.ranks import in_order
from calibration.rows import parts
from calibration.samples import Bools, Floats, Sample

Integers = npt.NDArray[np.int64]

MOST_UNITS: Final = 5_000
_ROWS_AT_ONCE: Final = 500_000
_SUMS_AT_ONCE: Final = 1_000_000  # of a table of units and columns


class Rows(NamedTuple):
    """Some rows of units, in their order.

    Attributes
    ----------
    happened, probability : ndarray, shape (m,)
    mass : ndarray of float64, shape (m,)
        The weights, scaled to a mean of 1.
    unit : ndarray of int, shape (m,)
        From 0, ascending.
    segment : ndarray of int, shape (m,)
        What else tells the rows apart; all 0 where nothing does.
    """

    happened: Bools
    probability: Floats
    mass: Floats
    unit: Integers
    segment: Integers


@dataclass(frozen=True)
class Terms:
    """What rows add to sums.

    Attributes
    ----------
    columns : int
        How many sums there are.
    of : callable
        Takes m rows. Gives the columns that each adds to, shape (m, k), and how much a row of
        weight 1 adds to each, shape (m, k).
    """

    columns: int
    of: Callable[[Rows], tuple[Integers, Floats]]

    @classmethod
    def dense(cls, columns: int, of: Callable[[Rows], tuple[Floats, ...]]) -> Self:
        """Return terms of rows that add to all sums, given as columns."""
        place = np.arange(columns)[None, :]

        def terms(rows: Rows) -> tuple[Integers, Floats]:
            values = np.column_stack(of(rows))
            return np.broadcast_to(place, values.shape), values

        return cls(columns, terms)


@dataclass(frozen=True)
class Units:
    """Rows that count, by cluster and content, and the unit of each.

    Attributes
    ----------
    sample : Sample
        The rows in their new order; none of weight 0.
    unit : ndarray of uint32, shape (m,), or None
        From 0, ascending; None where each row is one.
    segment : ndarray of int, shape (m,), or None
        What else tells rows apart.
    """

    sample: Sample
    unit: npt.NDArray[np.uint32] | None
    segment: npt.NDArray[Any] | None

    @classmethod
    def of(
        cls,
        sample: Sample,
        clusters: npt.ArrayLike | pl.Series | None,
        segment: npt.NDArray[Any] | None = None,
    ) -> Self:
        """Order rows, so that the order in which they came does not matter.

        Parameters
        ----------
        sample : Sample
            The rows as they came.
        clusters : array_like or Series of shape (n,), optional
            What each row belongs to; each row is a unit when omitted.
        segment : ndarray of int, shape (n,), optional
            What else tells rows apart.

        Raises
        ------
        InvalidSampleError
            If there are more or fewer clusters than rows, or one is null.
        """
        if clusters is None and segment is None:
            return cls(in_order(sample), None, None)
        codes = None if clusters is None else _codes(clusters, len(sample))
        order = _order(sample, codes, segment)
        unit = None if codes is None else _numbers(codes, order)
        del codes
        if segment is not None:
            segment = _taken(segment, order)
        weight = None if sample.weight is None else _taken(sample.weight, order)
        happened, probability = (_taken(c, order) for c in (sample.happened, sample.probability))
        return cls(Sample(happened, probability, weight), unit, segment)

    def __len__(self) -> int:
        return len(self.sample) if self.unit is None else int(self.unit[-1]) + 1

    def parts(self) -> Iterator[Rows]:
        """Yield the rows in order, some thousand at a time."""
        mean = self.mean_weight
        start = 0
        for part in parts(self.sample):
            place = slice(start, start + len(part.happened))
            ones = np.ones(len(part.happened))
            start = place.stop
            yield Rows(
                part.happened,
                part.probability,
                mass=ones if part.weight is None else part.weight / mean,
                unit=self.units(place),
                segment=(
                    np.zeros(len(ones), dtype=np.int64)
                    if self.segment is None
                    else self.segment[place].astype(np.int64)
                ),
            )

    def units(self, rows: slice) -> Integers:
        """Return the unit of each of some rows."""
        if self.unit is None:
            return np.arange(rows.start, rows.stop)
        return self.unit[rows].astype(np.int64)

    @property
    def mean_weight(self) -> float:
        """The mean of the weights, 1 without any."""
        if self.sample.weight is None:
            return 1.0
        sums = (float(part.weight.sum()) for part in parts(self.sample) if part.weight is not None)
        return sum(sums) / len(self.sample)

    def tables(self, terms: Terms, generator: np.random.Generator) -> Iterator[Any]:
        """Yield the weighted sums of terms by unit, some columns at a time, in their order.

        Of more than ``MOST_UNITS`` units random groups are made, which leaves the spread of sums
        as it is and makes resampling as fast as of few. Each table is a csr_array of shape
        (columns, units): its products are the same on any machine.

        Parameters
        ----------
        terms : Terms
            What the rows add.
        generator : Generator
            Of the groups.
        """
        group, units = None, len(self)
        if units > MOST_UNITS:
            group, units = _groups(units, generator), MOST_UNITS
        at_once = max(1, _SUMS_AT_ONCE // units)
        for first in range(0, terms.columns, at_once):
            columns = min(at_once, terms.columns - first)
            table = np.zeros(columns * units)
            for rows in self.parts():
                place, values = terms.of(rows)
                unit = rows.unit if group is None else group[rows.unit].astype(np.int64)
                flat = (place - first) * units + unit[:, None]
                values = values * rows.mass[:, None]
                if columns < terms.columns:
                    inside = (flat >= 0) & (flat < len(table))
                    flat, values = flat[inside], values[inside]
                np.add.at(table, flat.ravel(), values.ravel())  # in the order of the rows
            yield _sparse(table, columns, units)

    def collect(self, terms: Terms, generator: np.random.Generator) -> Any:
        """Return all of :meth:`tables` as one, a csr_array of shape (columns, units)."""
        return sparse.vstack(list(self.tables(terms, generator)), format="csr")


def _codes(clusters: npt.ArrayLike | pl.Series, rows: int) -> npt.NDArray[Any]:
    """Return numbers that are equal where clusters are and ascend as they do."""
    series = clusters if isinstance(clusters, pl.Series) else _series(clusters)
    if len(series) != rows:
        raise InvalidSampleError(f"clusters has {len(series)} rows, y_true {rows}: give as many")
    nulls = series.null_count() + (int(series.is_nan().sum()) if series.dtype.is_float() else 0)
    if nulls:
        raise InvalidSampleError(f"clusters: {nulls} of {rows} are null; name one for each row")
    return (series if series.dtype.is_integer() else series.rank("dense")).to_numpy()


def _series(clusters: npt.ArrayLike) -> pl.Series:
    """Return clusters as a column; text, numbers and dates, but of one type."""
    try:
        array = np.asarray(clusters)
        if array.ndim == 1 and array.dtype == object:
            return pl.Series(array.tolist())
        if array.ndim == 1:
            return pl.Series(array)
    except (TypeError, ValueError, pl.exceptions.PolarsError):
        pass
    raise InvalidSampleError("clusters: not a vector of one type; name one for each row, as text")


def _order(
    sample: Sample, codes: npt.NDArray[Any] | None, segment: npt.NDArray[Any] | None
) -> npt.NDArray[np.uint32]:
    """Return where the rows stand that weigh more than 0: by cluster, then by content.

    Numbers of 32 bits take half the room, and count more rows than any memory holds.
    """
    keys = (sample.weight, segment, sample.happened, sample.probability, codes)
    order = np.lexsort([key for key in keys if key is not None]).astype(np.uint32)
    if sample.weight is None or sample.weight.all():
        return order
    return order[_taken(sample.weight, order) > 0]


def _numbers(codes: npt.NDArray[Any], order: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """Return from 0 on which of the different codes each is, of codes that ascend in this order."""
    numbers = np.empty(len(order), dtype=np.uint32)
    before, number = codes[order[0]], 0
    for start in range(0, len(order), _ROWS_AT_ONCE):
        some = codes[order[start : start + _ROWS_AT_ONCE]]
        changed = some != np.concatenate(([before], some[:-1]))
        numbers[start : start + len(some)] = number + np.cumsum(changed)
        before, number = some[-1], int(numbers[start + len(some) - 1])
    return numbers


def _taken(column: npt.NDArray[Any], order: npt.NDArray[np.uint32]) -> npt.NDArray[Any]:
    """Return a column in an order; in parts, since the order is copied to wider numbers."""
    taken = np.empty(len(order), dtype=column.dtype)
    for start in range(0, len(order), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        taken[some] = column[order[some]]
    return taken


def _groups(units: int, generator: np.random.Generator) -> npt.NDArray[np.uint16]:
    """Return a random one of ``MOST_UNITS`` groups for each unit."""
    groups = np.empty(units, dtype=np.uint16)
    for start in range(0, units, _ROWS_AT_ONCE):
        some = groups[start : start + _ROWS_AT_ONCE]
        some[:] = generator.integers(0, MOST_UNITS, len(some))
    return groups


def _sparse(table: Floats, columns: int, units: int) -> Any:
    """Return a csr_array of a table given row by row."""
    held = np.flatnonzero(table)
    starts = np.searchsorted(held, np.arange(columns + 1) * units)
    values = table[held]
    held %= units
    places = held.astype(np.int32), starts.astype(np.int32)
    return sparse.csr_array((values, *places), shape=(columns, units))
