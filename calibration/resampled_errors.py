"""Worlds of the package's errors: by which sums of cells each is a function."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from calibration import binned_errors, smooth_error
from calibration.binned_errors import BINS, LEAST_SHARE, Binning, Bins
from calibration.error_worlds import Figure, Gaps, Worlds, gaps_of
from calibration.samples import Bools, Floats, Sample
from calibration.units import Units

Integers = npt.NDArray[np.int64]
_PARABOLA: Final = 2
_FINEST: Final = 4  # grid cells to a bandwidth, at least
_MOST_POINTS: Final = 2_048  # errors below a few of its cells are not told apart
BINNED: Final[dict[Callable[..., Any], Binning]] = {
    binned_errors.expected_calibration_error: Binning.EQUAL_WIDTH,
    binned_errors.adaptive_calibration_error: Binning.EQUAL_MASS,
    binned_errors.maximum_calibration_error: Binning.EQUAL_WIDTH,
}


def by_cell(cell: npt.NDArray[Any], cells: int, *columns: Floats) -> Any:
    """Return terms that add each column to the sum of the row's cell, shape (n, c * cells)."""
    row = np.arange(len(cell))
    shape = (len(cell), cells)
    return sparse.hstack([sparse.csr_array((c, (row, cell)), shape) for c in columns], format="csr")


def binned_worlds(
    metric: Callable[..., Any],
    part: str | None,
    sample: Sample,
    unit: Integers,
    options: Mapping[str, Any],
) -> Worlds | None:
    """Return a binned error's worlds; the debiased one has the interval of the plain."""
    settings = dict(options)
    settings.pop("debiased", None)
    bins, least = settings.pop("bins", BINS), settings.pop("least_share", LEAST_SHARE)
    maximum = metric is binned_errors.maximum_calibration_error
    default = BINNED[metric]
    binning = settings.pop("binning", default) if maximum else default
    if settings or part not in ((None, "value") if maximum else (None,)):
        return None
    binned = binned_errors.bin_sums(sample, bins, binning)
    cells = len(binned.weight)
    gaps = gaps_of(sample, unit, _cells(sample, binned, bins, binning), cells, degree=_PARABOLA)
    if not maximum:
        return _worlds(gaps, _mean_distance, float(binned.weight @ binned.gaps / sample.size))
    asked = binned_errors.heavy_bins(binned, least)

    def figure(sums: Floats, weight: Floats, _: Floats) -> Floats:
        divisor = np.where(weight > 0, weight, np.inf)
        largest: Floats = (np.abs(sums) / divisor)[:, asked].max(axis=1)
        return largest

    return _worlds(gaps, figure, float(binned.gaps[asked].max()), asked=asked)


def _worlds(
    gaps: Gaps,
    figure: Figure,
    observed: float,
    *,
    truth: Figure | None = None,
    asked: Bools | None = None,
) -> Worlds:
    """Return worlds whose sums are those of cells."""
    cells, rows = len(gaps.gap), len(gaps.cell)
    noise = by_cell(gaps.cell, cells, gaps.noise)
    weight = by_cell(gaps.cell, cells, np.ones(rows))
    none = sparse.csr_array((rows, 0))
    place: Integers = np.arange(cells)
    return Worlds(gaps, noise, weight, place, none, figure, truth or figure, observed, asked)


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


def binned_reliability(sample: Sample, unit: Integers, bins: int) -> Worlds:
    """Return the worlds of the reliability of a binned decomposition."""
    binned = binned_errors.bin_sums(sample, bins, Binning.EQUAL_WIDTH)
    cell = _cells(sample, binned, bins, Binning.EQUAL_WIDTH)
    gaps = gaps_of(sample, unit, cell, len(binned.weight), degree=_PARABOLA)
    observed = float(binned.weight @ binned.gaps**2 / sample.size) ** 0.5
    return _worlds(gaps, _root_mean_square, observed, truth=_mean_square)


def field_worlds(
    units: Units, segment: npt.NDArray[Any], error: Callable[[Floats], Floats], highest: float
) -> Worlds:
    """Return the worlds of an error over segments.

    Parameters
    ----------
    units : Units
        The rows, and what is resampled whole.
    segment : ndarray of int, shape (n,)
        Of the ordered rows.
    error : callable
        Takes gaps, events and weights of all segments, shape (k, 3 * segments); gives k errors.
    highest : float
        The error is never above it.
    """
    held, inverse = np.unique(segment, return_inverse=True)
    cell: Integers = inverse.astype(np.int64)
    sample, cells = units.sample, len(held)
    gaps = gaps_of(sample, units.unit, cell, cells, degree=0)

    def figure(sums: Floats, weight: Floats, events: Floats) -> Floats:
        known = np.broadcast_to(events, sums.shape), np.broadcast_to(weight, sums.shape)
        return error(np.concatenate((sums, *known), axis=1))

    happened, ones = sample.happened.astype(np.float64), np.ones(len(cell))
    mass = ones if sample.weight is None else sample.weight
    columns = (gaps.residual, happened, ones)
    sums = [np.bincount(cell, mass * column, cells).astype(np.float64) for column in columns]
    observed = float(error(np.concatenate(sums)[None, :])[0])
    noise, weight, events = (by_cell(cell, cells, c) for c in (gaps.noise, ones, happened))
    place: Integers = np.arange(cells)
    return Worlds(gaps, noise, weight, place, events, figure, figure, observed, highest=highest)


def _cells(sample: Sample, binned: Bins, bins: int, binning: Binning) -> Integers:
    """Return which of the bins that hold any weight each row falls into."""
    if binning is Binning.EQUAL_WIDTH:
        place = binned_errors.equal_width_bin(sample.probability, bins)
        return np.searchsorted(binned.low * bins, place - 0.5)
    place = np.searchsorted(binned.low, sample.probability, side="right") - 1
    return np.maximum(place, 0)


def smooth_worlds(sample: Sample, unit: Integers) -> Worlds:
    """Return the worlds of residuals on a grid as fine as the error found needs.

    The error falls as the bandwidth grows, so a resample's smooth error is above the sample's where
    its error at the sample's bandwidth is: no bandwidth need be sought for each resample.
    """
    error = smooth_error.smooth_calibration_error(
        sample.happened, sample.probability, weight=sample.weight
    )
    points = _MOST_POINTS
    while points > 2 * _FINEST and error * points / 2 > _FINEST:
        points //= 2
    binned = binned_errors.bin_sums(sample, BINS, Binning.EQUAL_MASS)
    cell = _cells(sample, binned, BINS, Binning.EQUAL_MASS)
    gaps = gaps_of(sample, unit, cell, len(binned.weight), degree=_PARABOLA)
    place, moved = smooth_error.cells_of(sample.probability, points)

    def laid(values: Floats) -> Any:
        here = by_cell(place, points + 1, values * (1 - moved))
        return here + by_cell(place + 1, points + 1, values * moved)

    bandwidth = max(error, 1 / points)

    def figure(sums: Floats, weight: Floats, _: Floats) -> Floats:
        return smooth_error.errors_at(sums / weight.sum(axis=1, keepdims=True), bandwidth)

    def truth(sums: Floats, weight: Floats, _: Floats) -> Floats:
        return smooth_error.smooth_errors(sums / weight.sum(axis=1, keepdims=True))

    around = np.searchsorted(binned.low, np.arange(points + 1) / points, side="right") - 1
    cell_of: Integers = np.maximum(around, 0)
    weight = laid(np.ones(len(cell)))
    noise = laid(gaps.residual) - weight @ sparse.diags_array(gaps.gap[cell_of])
    none = sparse.csr_array((len(cell), 0))
    return Worlds(gaps, noise, weight, cell_of, none, figure, truth, error)
