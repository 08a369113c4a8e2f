"""How far probabilities and rates lie apart in bins: expected, adaptive and maximum error.

Chance alone moves a bin's rate off its mean probability, and a distance is never negative, so
these errors are too high, the more so the fewer the rows and the more the bins. ``debiased`` takes
off what chance adds if each bin's rate varies as a binomial one does: the expected error of a
sample drawn around this one, less the error of this one. It is closed (folded normal), where
Kumar, Liang and Ma (2019) simulate. Weights then are counts of rows, so scaling them matters. The
correction is itself an estimate: at perfect calibration it leaves over half of the excess.

References
----------
Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning",
AAAI 2015, for expected and maximum error.
Nixon et al., "Measuring calibration in deep learning", CVPR workshops 2019, for the adaptive error.
Brocker, "Estimating reliability and resolution of probability forecasts through decomposition of
the empirical score", Climate Dynamics 2012.
Kumar, Liang and Ma, "Verified uncertainty calibration", NeurIPS 2019.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from calibration.errors import InsufficientDataError
from calibration.options import require_choice, require_whole
from calibration.ranks import gather
from calibration.rows import parts
from calibration.samples import Floats, Sample

BINS: Final = 15
LEAST_SHARE: Final = 0.01
_STEPS: Final = 2_001
_LEAST_ERROR: Final = 1e-12  # of huge weights, where rounding would leave none


class Binning(StrEnum):
    """How rows are put into bins.

    Attributes
    ----------
    EQUAL_WIDTH
        [0, 1/k), [1/k, 2/k), up to and with 1.
    EQUAL_MASS
        Bins of about the same weight. Rows of equal probability stay together: they go where the
        middle of their weight falls, so a heavy tie can leave bins empty.
    """

    EQUAL_WIDTH = "equal width"
    EQUAL_MASS = "equal mass"


@dataclass(frozen=True)
class Bins:
    """Sums of the bins that hold any weight, ascending.

    Attributes
    ----------
    low, high : ndarray of float64, shape (b,)
        Edges of equal width, or lowest and highest probability of equal mass.
    weight, events, expected : ndarray of float64, shape (b,)
        Weight, weight of the events, and weighted sum of the probabilities.
    """

    low: Floats
    high: Floats
    weight: Floats
    events: Floats
    expected: Floats

    @property
    def gaps(self) -> Floats:
        """Distance of mean probability and rate, at least 0."""
        gaps: Floats = np.abs(self.expected - self.events) / self.weight
        return gaps

    @property
    def chance(self) -> Floats:
        """Standard error of the rates, of a rate drawn towards a half by one row.

        Without that, a bin without an event would seem to know its rate exactly.
        """
        rate = (self.events + 0.5) / (self.weight + 1)
        error: Floats = np.sqrt(rate * (1 - rate) / self.weight)
        return np.maximum(error, _LEAST_ERROR)


@dataclass(frozen=True)
class MaximumError:
    """The largest distance of mean probability and rate among the bins.

    ``float`` gives it, and a format such as ``.3f`` is that of it.

    Attributes
    ----------
    value : float
        The distance.
    low, high : float
        Edges of the bin that has it.
    excluded : tuple of (float, float)
        Edges of the bins that held too little weight to be asked.
    """

    value: float
    low: float
    high: float
    excluded: tuple[tuple[float, float], ...]

    def __float__(self) -> float:
        return self.value

    def __format__(self, spec: str) -> str:
        """Return the distance so formatted; all there is to tell without a format."""
        return format(self.value, spec) if spec else str(self)


def expected_calibration_error(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bins: int = BINS,
    debiased: bool = False,
) -> float:
    """Return the mean distance of probability and rate over bins of equal width, 0 to 1 (ECE).

    One row, one class or equal probabilities need no special treatment; empty bins count nothing.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    bins : int
        How many; at least 1.
    debiased : bool
        Take off what chance adds; never below 0. Weights are then counts of rows.

    Raises
    ------
    CalibrationError
        If there is not at least one bin.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    binned = bin_sums(Sample.of(y_true, y_prob, weight), bins, Binning.EQUAL_WIDTH)
    return _mean_gap(binned, debiased=debiased)


def adaptive_calibration_error(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bins: int = BINS,
    debiased: bool = False,
) -> float:
    """Return the mean distance of probability and rate over bins of equal weight, 0 to 1 (ACE).

    Parameters, errors and edge cases are those of :func:`expected_calibration_error`. Rows of
    equal probability are never split: see :class:`Binning`. All-equal probabilities are one bin.
    """
    binned = bin_sums(Sample.of(y_true, y_prob, weight), bins, Binning.EQUAL_MASS)
    return _mean_gap(binned, debiased=debiased)


def maximum_calibration_error(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    bins: int = BINS,
    binning: Binning = Binning.EQUAL_WIDTH,
    least_share: float = LEAST_SHARE,
    debiased: bool = False,
) -> MaximumError:
    """Return the largest distance of probability and rate among the bins, and where it is (MCE).

    Parameters
    ----------
    y_true, y_prob, weight, bins
        As :func:`expected_calibration_error` takes them.
    binning : Binning
        Bins of equal width or of equal mass.
    least_share : float
        Bins with less of the whole weight than this are left out, and named in the result.
    debiased : bool
        Take off what chance adds to the largest of all distances; never below 0. Weights are then
        counts of rows.

    Raises
    ------
    InsufficientDataError
        If every bin has too little weight.
    CalibrationError
        If there is not at least one bin.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    binned = bin_sums(Sample.of(y_true, y_prob, weight), bins, binning)
    asked = heavy_bins(binned, least_share)
    edges = zip(binned.low[~asked].tolist(), binned.high[~asked].tolist(), strict=True)
    gaps = np.where(asked, binned.gaps, -1.0)
    worst = int(np.argmax(gaps))
    value = float(gaps[worst])
    if debiased:
        value = max(0.0, 2 * value - _expected_maximum(gaps[asked], binned.chance[asked]))
    return MaximumError(value, float(binned.low[worst]), float(binned.high[worst]), tuple(edges))


def bin_sums(sample: Sample, bins: int, binning: Binning) -> Bins:
    """Return the sums of the bins that hold any weight.

    Raises
    ------
    CalibrationError
        If there is not at least one bin.
    """
    bins = require_whole(bins, "bins")
    if require_choice(Binning, binning, "binning") is Binning.EQUAL_MASS:
        cells = gather(sample, bins)
        return Bins(cells.lowest, cells.highest, cells.weight, cells.events, cells.expected)
    sums = np.zeros((3, bins))
    for part in parts(sample):
        place = equal_width_bin(part.probability, bins)
        happened = part.happened.astype(np.float64)
        sums[0] += np.bincount(place, part.weight, bins)
        sums[1] += np.bincount(place, part.weigh(happened), bins)
        sums[2] += np.bincount(place, part.weigh(part.probability), bins)
    held = np.flatnonzero(sums[0])
    return Bins(held / bins, (held + 1) / bins, *sums[:, held])


def equal_width_bin(probability: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Return the bin of each probability among bins of equal width, shape (n,).

    An end k / bins belongs to the bin above it, also where it times bins is rounded below k.
    """
    place = np.minimum((probability * bins).astype(np.int64), bins - 1)
    place -= probability < place / bins
    place += (probability >= (place + 1) / bins) & (place < bins - 1)
    return place


def heavy_bins(binned: Bins, least_share: float) -> npt.NDArray[np.bool_]:
    """Return which bins hold at least a share of the whole weight.

    Raises
    ------
    InsufficientDataError
        If none does.
    """
    heavy: npt.NDArray[np.bool_] = binned.weight >= least_share * binned.weight.sum()
    if not heavy.any():
        raise InsufficientDataError(
            f"bins from {binned.low[0]:.4g} to {binned.high[-1]:.4g}: all {len(heavy)} hold less "
            f"than {least_share:.2%} of the weight; take fewer bins or a smaller least_share"
        )
    return heavy


def _mean_gap(binned: Bins, *, debiased: bool) -> float:
    gaps = binned.gaps
    if debiased:
        gaps = 2 * gaps - _folded_mean(gaps, binned.chance)
    return max(0.0, float(binned.weight @ gaps / binned.weight.sum()))


def _folded_mean(mean: Floats, deviation: Floats) -> Floats:
    """Return the means of absolute values of normal variables."""
    ratio = mean / deviation
    density = np.exp(-(ratio**2) / 2) * np.sqrt(2 / np.pi)
    folded: Floats = deviation * density + mean * (2 * ndtr(ratio) - 1)
    return folded


def _expected_maximum(mean: Floats, deviation: Floats) -> float:
    """Return the mean of the largest absolute value of independent normal variables."""
    highest = float((mean + 8 * deviation).max())
    at = np.linspace(0, highest, _STEPS)[:, None]
    below = ndtr((at - mean) / deviation) - ndtr((-at - mean) / deviation)
    return float(np.trapezoid(1 - below.prod(axis=1), dx=highest / (_STEPS - 1)))
