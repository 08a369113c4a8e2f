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
_NODES: Final = (2_001, 1_000_001)
_REACH: Final = 6.0  # bandwidths beyond which the kernel counts as 0
_UNSEEN: Final = 1e-12  # a share of the weight below which no row is near


def default_bandwidth(sample: Sample) -> float:
    """Return the standard deviation of the scores by the fourth root of the effective rows.

    Narrower than what errs least, so that the bias of smoothing is small beside chance.
    """
    score, weight = sample.probability, sample.weight
    if weight is None:
        rows, square = float(len(sample)), float(score @ score)
    else:
        rows = sample.size**2 / float(weight @ weight)
        square = float(np.einsum("i,i,i->", weight, score, score))
    spread = max(0.0, square / sample.size - (sample.expected / sample.size) ** 2) ** 0.5
    return float(max(NARROWEST, spread * rows**-0.25))


def smooth(sample: Sample, width: float, places: Floats) -> tuple[Floats, Floats]:
    """Return at each place the mean of outcome less probability, and the effective rows behind it.

    The rows are put onto a fine grid first, each onto its two neighbours.
    """
    nodes = int(np.clip(_NODES_A_BANDWIDTH / width, *_NODES))
    weight, square, gap = _on_grid(sample, nodes)
    sigma = width * (nodes - 1)  # in steps of the grid
    near, gaps = (_blur(values, sigma, places) for values in (weight, gap))
    # The kernel squared is a kernel narrower by √2; at the ends, a row and its mirror image meet.
    narrow = _blur(square, sigma / 2**0.5, places)
    grid = np.linspace(0, 1, nodes)
    for distance, end in ((places, grid), (1 - places, 1 - grid)):
        met = float(square @ np.exp(-((end / width) ** 2)))
        narrow += 2 * met * np.exp(-((distance / width) ** 2)) / (sigma * np.pi**0.5)
    narrow /= 2 * np.pi**0.5 * sigma
    seen = near > _UNSEEN * weight.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(seen, gaps / near, np.nan), np.where(seen, near**2 / narrow, 0.0)


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
