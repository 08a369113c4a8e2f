"""Worlds of the package's errors: by which sums of cells each is a function."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from calibration import binned_errors, smooth_error
from calibration.binned_errors import BINS, LEAST_SHARE, Binning, Bins
from calibration.error_worlds import Figure, Worlds, gaps_of
from calibration.options import require_choice
from calibration.samples import Bools, Floats
from calibration.units import Rows, Terms, Units

Integers = npt.NDArray[np.int64]
_PARABOLA: Final = 2
_FINEST: Final = 4  # grid cells to a bandwidth, at least
_MOST_POINTS: Final = 2_048  # errors below a few of its cells are not told apart
BINNED: Final[dict[Callable[..., Any], Binning]] = {
    binned_errors.expected_calibration_error: Binning.EQUAL_WIDTH,
    binned_errors.adaptive_calibration_error: Binning.EQUAL_MASS,
    binned_errors.maximum_calibration_error: Binning.EQUAL_WIDTH,
}


def by_cell(
    columns: int,
    cell_of: Callable[[Rows], Integers],
    cells: int,
    values: Callable[[Rows, Integers], tuple[Floats, ...]],
) -> Terms:
    """Return terms that add each of several values to the sum of the row's cell.

    Parameters
    ----------
    columns : int
        How many values there are; the sums of the first of them, over all cells, come first.
    cell_of : callable
        Takes rows, gives the cell of each.
    cells : int
        How many cells there are.
    values : callable
        Takes rows and their cells, gives the values.
    """
    shift = cells * np.arange(columns)

    def terms(rows: Rows) -> tuple[Integers, Floats]:
        cell = cell_of(rows)
        return cell[:, None] + shift, np.column_stack(values(rows, cell))

    return Terms(columns * cells, terms)


def binned_worlds(
    metric: Callable[..., Any], part: str | None, units: Units, options: Mapping[str, Any]
) -> Worlds | None:
    """Return a binned error's worlds; the debiased one has the interval of the plain."""
    settings = dict(options)
    settings.pop("debiased", None)
    bins, least = settings.pop("bins", BINS), settings.pop("least_share", LEAST_SHARE)
    maximum = metric is binned_errors.maximum_calibration_error
    default = BINNED[metric]
    binning = settings.pop("binning", default) if maximum else default
    binning = require_choice(Binning, binning, "binning")
    if settings or part not in ((None, "value") if maximum else (None,)):
        return None
    binned = binned_errors.bin_sums(units.sample, bins, binning)
    cell_of = _cells(binned, bins, binning)
    if not maximum:
        error = float(binned.weight @ binned.gaps / units.sample.size)
        return _worlds(units, cell_of, len(binned.weight), _mean_distance, error)
    asked = binned_errors.heavy_bins(binned, least)

    def figure(sums: Floats, weight: Floats, _: Floats) -> Floats:
        divisor = np.where(weight > 0, weight, np.inf)
        largest: Floats = (np.abs(sums) / divisor)[:, asked].max(axis=1)
        return largest

    error = float(binned.gaps[asked].max())
    return _worlds(units, cell_of, len(binned.weight), figure, error, asked=asked)


def _worlds(
    units: Units,
    cell_of: Callable[[Rows], Integers],
    cells: int,
    figure: Figure,
    observed: float,
    *,
    truth: Figure | None = None,
    asked: Bools | None = None,
) -> Worlds:
    """Return worlds whose sums are those of cells."""
    gaps = gaps_of(units, cell_of, cells, degree=_PARABOLA)
    terms = by_cell(2, cell_of, cells, lambda rows, cell: (gaps.noise(rows, cell), _ones(rows)))
    return Worlds(gaps, terms, np.arange(cells), figure, truth or figure, observed, asked)


def _ones(rows: Rows) -> Floats:
    return np.ones(len(rows.happened))


def _mean_distance(sums: Floats, weight: Floats, _: Floats) -> Floats:
    distance: Floats = np.abs(sums).sum(axis=1) / weight.sum(axis=1)
    return distance


def _mean_square(sums: Floats, weight: Floats, _: Floats) -> Floats:
    squares = sums**2 / np.where(weight > 0, weight, np.inf)
    mean: Floats = squares.sum(axis=1) / weight.sum(axis=1)
    return mean


def _root_mean_square(sums: Floats, weight: Floats, extra: Floats) -> Floats:
    root: Floats = np.sqrt(_mean_square(sums, weight, extra))
    return root


def binned_reliability(units: Units, bins: int) -> Worlds:
    """Return the worlds of the reliability of a binned decomposition."""
    binned = binned_errors.bin_sums(units.sample, bins, Binning.EQUAL_WIDTH)
    cell_of = _cells(binned, bins, Binning.EQUAL_WIDTH)
    observed = float(binned.weight @ binned.gaps**2 / units.sample.size) ** 0.5
    cells = len(binned.weight)
    return _worlds(units, cell_of, cells, _root_mean_square, observed, truth=_mean_square)


def field_worlds(
    units: Units, segments: int, error: Callable[[Floats], Floats], highest: float
) -> Worlds:
    """Return the worlds of an error over segments.

    Parameters
    ----------
    units : Units
        The rows with their segments, and what is resampled whole.
    segments : int
        How many segments there may be; those without weight are left out.
    error : callable
        Takes gaps, events and weights of all segments, shape (k, 3 * segments); gives k errors.
    highest : float
        The error is never above it.
    """
    sums = np.zeros((3, segments))
    for rows in units.parts():
        happened = rows.happened.astype(np.float64)
        columns = rows.probability - happened, happened, _ones(rows)
        for row, values in enumerate(columns):
            np.add.at(sums[row], rows.segment, rows.mass * values)
    held = np.flatnonzero(sums[2])
    observed, cells = float(error(sums[:, held].reshape(1, -1))[0]), len(held)
    number = np.cumsum(sums[2] > 0) - 1

    def cell_of(rows: Rows) -> Integers:
        cell: Integers = number[rows.segment]
        return cell

    gaps = gaps_of(units, cell_of, cells, degree=0)

    def added(rows: Rows, cell: Integers) -> tuple[Floats, ...]:
        return gaps.noise(rows, cell), _ones(rows), rows.happened.astype(np.float64)

    def figure(sums: Floats, weight: Floats, events: Floats) -> Floats:
        known = np.broadcast_to(events, sums.shape), np.broadcast_to(weight, sums.shape)
        return error(np.concatenate((sums, *known), axis=1))

    terms = by_cell(3, cell_of, cells, added)
    return Worlds(gaps, terms, np.arange(cells), figure, figure, observed, highest=highest)


def _cells(binned: Bins, bins: int, binning: Binning) -> Callable[[Rows], Integers]:
    """Return what tells which of the bins that hold any weight each row falls into."""
    low = binned.low

    def of_width(rows: Rows) -> Integers:
        place = binned_errors.equal_width_bin(rows.probability, bins)
        return np.searchsorted(low * bins, place - 0.5)

    def of_mass(rows: Rows) -> Integers:
        return np.maximum(np.searchsorted(low, rows.probability, side="right") - 1, 0)

    return of_width if binning is Binning.EQUAL_WIDTH else of_mass


def smooth_worlds(units: Units) -> Worlds:
    """Return the worlds of residuals on a grid as fine as the error found needs.

    The error falls as the bandwidth grows, so a resample's smooth error is above the sample's where
    its error at the sample's bandwidth is: no bandwidth need be sought for each resample.
    """
    sample = units.sample
    error = smooth_error.smooth_calibration_error(
        sample.happened, sample.probability, weight=sample.weight
    )
    points = _MOST_POINTS
    while points > 2 * _FINEST and error * points / 2 > _FINEST:
        points //= 2
    binned = binned_errors.bin_sums(sample, BINS, Binning.EQUAL_MASS)
    gaps = gaps_of(
        units, _cells(binned, BINS, Binning.EQUAL_MASS), len(binned.weight), degree=_PARABOLA
    )
    around = np.searchsorted(binned.low, np.arange(points + 1) / points, side="right") - 1
    cell_of: Integers = np.maximum(around, 0)
    bandwidth = max(error, 1 / points)

    def figure(sums: Floats, weight: Floats, _: Floats) -> Floats:
        return smooth_error.errors_at(sums / weight.sum(axis=1, keepdims=True), bandwidth)

    def truth(sums: Floats, weight: Floats, _: Floats) -> Floats:
        return smooth_error.smooth_errors(sums / weight.sum(axis=1, keepdims=True))

    return Worlds(gaps, _laid(points, gaps.gap[cell_of]), cell_of, figure, truth, error)


def _laid(points: int, gap: Floats) -> Terms:
    """Return terms that lay residuals less the gaps, and weights, on a grid.

    Parameters
    ----------
    points : int
        Steps of the grid, each row being laid on two of its ``points + 1`` ends.
    gap : ndarray of float64, shape (points + 1,)
        At each of them.
    """
    shift = np.array([0, 1, points + 1, points + 2])

    def terms(rows: Rows) -> tuple[Integers, Floats]:
        place, moved = smooth_error.cells_of(rows.probability, points)
        residual = rows.probability - rows.happened
        here, there = 1 - moved, moved
        noise = residual * here - here * gap[place], residual * there - there * gap[place + 1]
        return place[:, None] + shift, np.column_stack((*noise, here, there))

    return Terms(2 * (points + 1), terms)
