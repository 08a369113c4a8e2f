"""Smoothing of outcomes with a Gaussian kernel on [0, 1], reflected at both ends.

References
----------
Błasiok and Nakkiran, "Smooth ECE: principled reliability diagrams via kernel smoothing", ICLR 2024.
"""

from typing import Final

import numpy as np
from scipy import ndimage

from calibration.rows import parts
from calibration.samples import Floats, Sample

NARROWEST: Final = 2e-5  # the narrowest bandwidth that the grid can tell from a point
_NODES_A_BANDWIDTH: Final = 20
_STEPS: Final = (2_000, 1_000_000)  # of the grid
ENOUGH: Final = 30.0
WIDEST: Final = 0.125  # about as much in log-odds
_DENSER: Final = 4  # more rows than so many times enough are those of a denser place nearby
_REACH: Final = 6.0  # bandwidths beyond which the kernel counts as 0
_UNSEEN: Final = 1e-12  # a share of the weight below which no row is near


def default_bandwidth(sample: Sample) -> float:
    """Return the standard deviation of the scores by the fourth root of the effective rows.

    Narrower than what errs least, so that the bias of smoothing is small beside chance.
    """
    score, weight = sample.probability, sample.weight
    if weight is None:
        square = float(score @ score)
    else:
        square = float(np.einsum("i,i,i->", weight, score, score))
    spread = max(0.0, square / sample.size - (sample.expected / sample.size) ** 2) ** 0.5
    return float(max(NARROWEST, spread * effective_rows(sample) ** -0.25))


def effective_rows(sample: Sample) -> float:
    """Return how many equal rows tell as much as the sample does (Kish)."""
    if sample.weight is None:
        return float(len(sample))
    return sample.size**2 / float(sample.weight @ sample.weight)


def smooth(
    sample: Sample, width: float, places: Floats, *, widened: bool = False
) -> tuple[Floats, Floats]:
    """Return at each place the mean of outcome less probability, and the effective rows behind it.

    The rows are put onto a fine grid first, each onto its two neighbours.

    Parameters
    ----------
    sample : Sample
        The rows.
    width : float
        Standard deviation of the kernel.
    places : ndarray of float, shape (n,)
        Where the mean is wanted.
    widened : bool
        Whether the kernel is made wider by twos where fewer than ``ENOUGH`` rows are within it, up
        to ``WIDEST`` of the distance from 0 and 1, unless it then reaches far denser rows.
    """
    steps = int(np.ceil(np.log2(np.clip(_NODES_A_BANDWIDTH / width, *_STEPS))))
    grid = _on_grid(sample, 2**steps + 1)
    gap, rows = _at(grid, width, places)
    farthest = WIDEST * np.minimum(places, 1 - places)
    while widened:
        width *= 2
        few = (rows < ENOUGH) & (width <= farthest)
        if not few.any():
            break
        grid = _coarser(grid) if grid.shape[1] > 2 * _STEPS[0] else grid
        wider, more = _at(grid, width, places[few])
        near = more <= _DENSER * ENOUGH
        gap[few], rows[few] = np.where(near, wider, gap[few]), np.where(near, more, rows[few])
    return gap, np.minimum(rows, _count(sample))


def _at(grid: Floats, width: float, places: Floats) -> tuple[Floats, Floats]:
    """Return means and effective rows at places, of the sums on a grid; NaN and 0 far from any."""
    weight, square, gap = grid
    sigma = width * (len(weight) - 1)  # in steps of the grid
    near, gaps = (_blur(values, sigma, places) for values in (weight, gap))
    # The kernel squared is a kernel narrower by √2; at the ends, a row and its mirror image meet.
    narrow = _blur(square, sigma / 2**0.5, places)
    ends = np.linspace(0, 1, len(weight))
    for distance, end in ((places, ends), (1 - places, 1 - ends)):
        met = float(square @ np.exp(-((end / width) ** 2)))
        narrow += 2 * met * np.exp(-((distance / width) ** 2)) / (sigma * np.pi**0.5)
    narrow /= 2 * np.pi**0.5 * sigma
    seen = (near > _UNSEEN * weight.max()) & (narrow > 0)
    near, narrow = np.where(seen, near, 1.0), np.where(seen, narrow, 1.0)
    return np.where(seen, gaps / near, np.nan), np.where(seen, near**2 / narrow, 0.0)


def _coarser(grid: Floats) -> Floats:
    """Return the sums on every other node of a grid, each of the rest on its two neighbours."""
    coarse = grid[:, ::2].copy()
    coarse[:, :-1] += grid[:, 1::2] / 2
    coarse[:, 1:] += grid[:, 1::2] / 2
    return coarse


def _count(sample: Sample) -> int:
    return len(sample) if sample.weight is None else int(np.count_nonzero(sample.weight))


def _on_grid(sample: Sample, nodes: int) -> Floats:
    """Return the weight, its square, and weight times outcome less probability, at each node."""
    sums = np.zeros((3, nodes))
    for part in parts(sample):
        score = part.probability
        place = score * (nodes - 1)
        left = np.minimum(place.astype(np.int64), nodes - 2)
        right_share = place - left
        weight = part.weigh(np.ones(len(score)))
        gap = weight * (part.happened - score)
        for total, value in zip(sums, (weight, weight**2, gap), strict=True):
            right = value * right_share
            total += np.bincount(left, value - right, nodes)
            total[1:] += np.bincount(left, right, nodes - 1)[: nodes - 1]
    return sums


def _blur(values: Floats, sigma: float, places: Floats) -> Floats:
    blurred = ndimage.gaussian_filter1d(values, sigma, mode="mirror", truncate=_REACH)
    return np.asarray(np.interp(places, np.linspace(0, 1, len(values)), blurred))
