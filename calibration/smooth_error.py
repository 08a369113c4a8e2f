"""Smooth calibration error: no bins, and a bandwidth that the data choose.

Residuals (probability less outcome) are smoothed over the probability by a Gaussian that [0, 1]
reflects, and the mean absolute value of the smoothed is the error at that bandwidth. It falls as
the bandwidth grows; the error proper is where the two are equal.

The reflected Gaussian is diagonal in cosines, so smoothing is one cosine transform of the residuals
laid on a fine grid, and the terms that a bandwidth wipes out need not be computed.

References
----------
Blasiok and Nakkiran, "Smooth ECE: principled reliability diagrams via kernel smoothing", ICLR 2024.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from calibration.errors import CalibrationError
from calibration.rows import parts
from calibration.samples import Floats, Sample

CELLS: Final = 8_192
_WIPED_OUT: Final = 37.0  # a factor of exp(-37) is below the rounding of a float
_STEPS: Final = 60
_TOLERANCE: Final = 1e-9


def smooth_calibration_error(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bandwidth: float | None = None,
) -> float:
    """Return the smooth calibration error (smECE, Blasiok and Nakkiran 2023), 0 to 1.

    One row, one class or equal probabilities need no special treatment. Like all errors it is too
    high by chance, but less so than binned ones. Probabilities are laid on a grid of ``CELLS``
    cells, so an error below 1 / ``CELLS`` (1.2e-4) is that at a bandwidth of one cell.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    bandwidth : float, optional
        The standard deviation of the Gaussian, in probability; that which equals the error when
        omitted. At least 1 / ``CELLS``.

    Raises
    ------
    CalibrationError
        If the bandwidth is too small.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    if bandwidth is not None and not bandwidth >= 1 / CELLS:
        raise CalibrationError(f"bandwidth is {bandwidth}: give at least 1/{CELLS}")
    sample = Sample.of(y_true, y_prob, weight)
    laid = np.zeros(CELLS + 1)
    for part in parts(sample):
        residual = part.weigh(part.probability - part.happened)
        cell, moved = cells_of(part.probability, CELLS)
        to_next = np.bincount(cell, residual * moved, CELLS)
        laid[:-1] += np.bincount(cell, residual, CELLS) - to_next
        laid[1:] += to_next
    laid /= sample.size
    if bandwidth is None:
        return float(smooth_errors(laid[None, :])[0])
    return float(errors_at(laid[None, :], bandwidth)[0])


def cells_of(probability: Floats, cells: int) -> tuple[npt.NDArray[np.int64], Floats]:
    """Return the grid point below each probability and the share that goes to the next point."""
    at = probability * cells
    cell = np.minimum(at.astype(np.int64), cells - 1)
    return cell, at - cell


def smooth_errors(laid: Floats) -> Floats:
    """Return the smooth errors of residuals laid on a grid, where error and bandwidth are equal.

    Parameters
    ----------
    laid : ndarray of float64, shape (k, cells + 1)
        For each of k samples the residuals at even steps from 0 to 1, over the sample's weight.

    Returns
    -------
    ndarray of float64, shape (k,)
    """
    spectra, cells = _spectra(laid), laid.shape[1] - 1
    low, high = np.full(len(laid), 1 / cells), np.ones(len(laid))
    over, under = _errors_at(spectra, cells, low) - low, _errors_at(spectra, cells, high) - high
    fine = over <= 0  # no bandwidth that the grid can tell is as small
    found = np.where(fine, low + over, high)
    side = np.zeros(len(laid), dtype=np.int64)
    for _ in range(_STEPS):  # false position, halving the end that stays (Illinois)
        at = np.clip((low * under - high * over) / (under - over), low, high)
        off = _errors_at(spectra, cells, at) - at
        moved, found = np.abs(at - found), np.where(fine, found, at)
        if (fine | (moved < _TOLERANCE) | (np.abs(off) < _TOLERANCE)).all():
            break
        above = off > 0
        under = np.where(above & (side == 1), under / 2, np.where(above, under, off))
        over = np.where(~above & (side == -1), over / 2, np.where(above, off, over))
        low, high = np.where(above, at, low), np.where(above, high, at)
        side = np.where(above, 1, -1)
    return found


def errors_at(laid: Floats, bandwidth: float) -> Floats:
    """Return the errors at one bandwidth of residuals laid on a grid, shape (k,)."""
    widths = np.full(len(laid), bandwidth)
    return _errors_at(_spectra(laid), laid.shape[1] - 1, widths)


def _spectra(laid: Floats) -> Floats:
    """Return the cosine coefficients of point masses on a grid, shape (k, cells + 1)."""
    masses = laid.copy()
    masses[:, 1:-1] /= 2  # the transform counts inner points twice
    return np.asarray(dct(masses, type=1, axis=1), dtype=np.float64)


def _errors_at(spectra: Floats, cells: int, bandwidth: Floats) -> Floats:
    """Return the integrals of the absolute smoothed residuals, one bandwidth a row.

    Laying a point on two grid points widens it by a variance of a sixth of a squared cell on
    average, which the Gaussian therefore lacks.
    """
    narrowest = float(bandwidth.min())
    lacking = np.maximum(bandwidth**2 - 1 / (6 * cells**2), 0.0)
    last = int(np.sqrt(2 * _WIPED_OUT / max(narrowest**2 - 1 / (6 * cells**2), 1e-12)) / np.pi)
    points = min(cells, 1 << max(6, int(np.ceil(np.log2(4 * last + 4)))))
    wave = np.arange(min(last, cells, points) + 1)
    kept = np.zeros((len(spectra), points + 1))
    damping = np.exp(-(np.pi**2 / 2) * np.outer(lacking, wave**2))
    kept[:, : len(wave)] = spectra[:, : len(wave)] * damping
    kept[:, -1] *= 2  # the transform counts inner terms twice, but not the last
    smoothed = np.abs(dct(kept, type=1, axis=1, overwrite_x=True))
    smoothed[:, 0] /= 2
    smoothed[:, -1] /= 2
    return np.asarray(smoothed.sum(axis=1) / points, dtype=np.float64)
