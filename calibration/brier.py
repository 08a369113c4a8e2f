"""The Brier score in parts: reliability, resolution and uncertainty.

References
----------
Dimitriadis, Gneiting and Jordan, "Stable reliability diagrams for probabilistic classifiers",
PNAS 2021, for the isotonic parts (CORP).
Murphy, "A new vector partition of the probability score", J. Applied Meteorology 1973, and
Stephenson, Coelho and Jolliffe, "Two extra components in the Brier score decomposition", Weather
and Forecasting 2008, for the binned ones.
Brocker, "Estimating reliability and resolution of probability forecasts through decomposition of
the empirical score", Climate Dynamics 2012, for what chance adds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from calibration.binned_errors import Binning, bin_sums, equal_width_bin
from calibration.errors import CalibrationError
from calibration.metrics import mean_square
from calibration.ranks import isotonic_blocks
from calibration.rows import parts
from calibration.samples import Sample


@dataclass(frozen=True)
class BrierDecomposition:
    """Parts of a Brier score, which is ``reliability - resolution + uncertainty + within``.

    Attributes
    ----------
    reliability : float
        Distance of the probabilities from the rates: what calibrating would gain; 0 is best.
    resolution : float
        Distance of the rates from the base rate: what the ranking tells; higher is better.
    uncertainty : float
        Variance of the outcomes.
    within_variance, within_covariance : float
        Variance of the probabilities within bins, and twice their covariance with the outcomes.
        Both are 0 of an isotonic decomposition, which needs no bins.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float = 0.0
    within_covariance: float = 0.0

    @property
    def score(self) -> float:
        """The Brier score that the parts sum to."""
        within = self.within_variance - self.within_covariance
        return self.reliability - self.resolution + self.uncertainty + within


def brier_decomposition(
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    weight: npt.ArrayLike | None = None,
    by: int | Literal["isotonic"] = "isotonic",
    debiased: bool = False,
) -> BrierDecomposition:
    """Return reliability, resolution and uncertainty; they sum to the Brier score.

    Rates are those of an isotonic regression of the outcomes on the probabilities (Dimitriadis,
    Gneiting and Jordan 2021), which needs no bins and supposes that a higher probability never
    means a lower rate; or those of bins of equal width, with the terms within bins of Stephenson,
    Coelho and Jolliffe (2008). Both reliability and resolution are too high by chance.

    One class has no resolution nor uncertainty, equal probabilities no resolution, and one row
    neither; these are results, not errors.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.
    by : "isotonic" or int
        The isotonic regression, or how many bins.
    debiased : bool
        Move what chance adds from reliability and resolution to uncertainty (Brocker 2012); of bins
        only. The sum stays, and a reliability may fall below 0. Weights are then counts of rows,
        and bins of one row or less are left as they are.

    Raises
    ------
    CalibrationError
        If there is not at least one bin, or an isotonic decomposition should be debiased.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    if by != "isotonic":
        return _binned(sample, by, debiased=debiased)
    if debiased:
        raise CalibrationError("debiased parts need bins: give by a number; intervals allow for it")
    blocks = isotonic_blocks(sample)
    size, events = sample.size, sample.events
    uncertainty = _variance(size, events)
    left = float((blocks.events * (1 - blocks.rate)).sum()) / size
    return BrierDecomposition(mean_square(sample) - left, uncertainty - left, uncertainty)


def _binned(sample: Sample, bins: int, *, debiased: bool) -> BrierDecomposition:
    binned = bin_sums(sample, bins, Binning.EQUAL_WIDTH)
    size, events = sample.size, sample.events
    rate = binned.events / binned.weight
    reliability = float(binned.weight @ binned.gaps**2) / size
    resolution = float(binned.weight @ (rate - events / size) ** 2) / size
    uncertainty = _variance(size, events)
    variance, covariance = _within(sample, bins)
    if debiased:
        several = binned.weight > 1
        spread = (rate * (1 - rate) * binned.weight)[several] / (binned.weight[several] - 1)
        by_bins = float(spread.sum()) / size
        by_rate = uncertainty / (size - 1) if size > 1 else 0.0
        reliability -= by_bins
        resolution -= by_bins - by_rate
        uncertainty += by_rate
    return BrierDecomposition(reliability, resolution, uncertainty, variance, covariance)


def _within(sample: Sample, bins: int) -> tuple[float, float]:
    """Return variance and twice the covariance within bins, from sums about the bin's middle.

    About the middle, because sums of squares about 0 would lose small variances to rounding.
    """
    sums = np.zeros((5, bins))
    for part in parts(sample):
        place = equal_width_bin(part.probability, bins)
        off = part.probability - (place + 0.5) / bins
        happened = part.happened.astype(np.float64)
        columns = (np.ones(len(off)), off, happened, off**2, off * happened)
        for row, values in enumerate(columns):
            sums[row] += np.bincount(place, part.weigh(values), bins)
    weight, off, events, squares, products = sums[:, sums[0] > 0]
    variance = float((squares - off**2 / weight).sum()) / sample.size
    covariance = 2 * float((products - off * events / weight).sum()) / sample.size
    return variance, covariance


def _variance(size: float, events: float) -> float:
    return events / size * (1 - events / size)
