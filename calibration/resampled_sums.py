"""Figures as functions of sums over rows, so that many resamples cost one product of matrices.

A figure that is a function of sums of terms, one set of terms a row, has under row weights the sums
``weights @ terms``. Resampling then needs no second look at the rows. What depends on all rows at
once is held at what the sample says: edges of bins of equal mass, the isotonic curve, and the point
from which the one step of Newton's method is taken.

References
----------
Shao and Tu, The Jackknife and Bootstrap, 1995, for the one-step bootstrap.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import isotonic_regression
from scipy.special import entr

from calibration import binned_errors, brier, metrics, recalibration, smooth_error
from calibration.constructions import Construction
from calibration.error_worlds import Worlds
from calibration.errors import CalibrationError
from calibration.resampled_errors import (
    BINNED,
    binned_reliability,
    binned_worlds,
    by_cell,
    smooth_worlds,
)
from calibration.samples import Floats, Sample
from calibration.units import Units

Integers = npt.NDArray[np.int64]
_FOLDS: Final = 10
_MOST_VARIED: Final = 0.25  # the variance of outcomes of which half happen
_OWN_ROWS: Final = 0.68  # measured at 2,000 to 20,000 rows


@dataclass(frozen=True)
class Sums:
    """A figure as a function of sums.

    Attributes
    ----------
    terms : csr_array of float64, shape (n, d)
        What a row of weight 1 adds to each sum.
    figure : callable
        Takes sums, shape (k, d); gives k figures, not a number where they have no value.
    construction : Construction
        The interval that suits it.
    excess : float, optional
        How much less the figure is made than the sample's, for what chance adds. Told of sums of
        squares, which spread as their root does, which sums that are linear do not show.
    doubt : float
        Standard deviation of the excess, which resamples do not show either.
    highest : float
        The figure is never above it.
    """

    terms: Any
    figure: Callable[[Floats], Floats]
    construction: Construction = Construction.ACCELERATED
    excess: float | None = None
    doubt: float = 0.0
    highest: float = np.inf


def sums_of(
    metric: Callable[..., Any],
    part: str | None,
    units: Units,
    options: Mapping[str, Any],
) -> Sums | Worlds | None:
    """Return the figure of a metric as a function of sums; None where it is not known as one.

    Parameters
    ----------
    metric : callable
        One of this package's metrics, or any other.
    part : str, optional
        The attribute of its result that is asked.
    units : Units
        The rows, and what is resampled whole.
    options : mapping
        Keyword arguments of the metric other than the weights.
    """
    if not isinstance(metric, Hashable):
        return None
    sample, unit = units.sample, units.unit
    if part is None and metric in _MEANS and not options:
        return _MEANS[metric](sample)
    if metric in BINNED:
        return binned_worlds(metric, part, sample, unit, options)
    if metric is smooth_error.smooth_calibration_error and not options:
        return smooth_worlds(sample, unit)
    if metric is brier.brier_decomposition and set(options) <= {"by", "debiased"}:
        by = options.get("by", "isotonic")
        if by == "isotonic" or part == "uncertainty":
            return _isotonic_sums(part, sample, unit)
        if part == "reliability":
            return binned_reliability(sample, unit, by)
        return _binned_resolution(sample, by) if part == "resolution" else None
    if metric in _LINES and part in ("intercept", "slope"):
        return _line_sums(metric, part, sample)
    return None


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return quotients, not a number where there is nothing to divide by."""
    safe = np.where(below > 0, below, np.nan)
    quotient: Floats = above / safe
    return quotient


def _mean(values: Floats) -> Sums:
    terms = np.column_stack((values, np.ones(len(values))))
    return Sums(sparse.csr_array(terms), lambda sums: _ratio(sums[:, 0], sums[:, 1]))


def _calibration_ratio(sample: Sample) -> Sums:
    terms = np.column_stack((sample.probability, sample.happened))
    return Sums(sparse.csr_array(terms), lambda sums: _ratio(sums[:, 0], sums[:, 1]))


def _log_loss(sample: Sample) -> Sums:
    return _mean(metrics.losses(sample.happened, sample.probability))


def _brier_score(sample: Sample) -> Sums:
    return _mean((sample.probability - sample.happened) ** 2)


def _normalised_entropy(sample: Sample) -> Sums:
    loss = metrics.losses(sample.happened, sample.probability)

    def figure(sums: Floats) -> Floats:
        rate = sums[:, 2] / sums[:, 1]
        return _ratio(sums[:, 0] / sums[:, 1], entr(rate) + entr(1 - rate))

    terms = np.column_stack((loss, np.ones(len(loss)), sample.happened))
    return Sums(sparse.csr_array(terms), figure)


def _binned_resolution(sample: Sample, bins: int) -> Sums:
    cell = binned_errors.equal_width_bin(sample.probability, bins)

    def figure(sums: Floats) -> Floats:
        events, weight = sums[:, :bins], sums[:, bins:]
        size = weight.sum(axis=1)
        squares = events**2 / np.where(weight > 0, weight, np.inf)
        resolution: Floats = squares.sum(axis=1) / size - (events.sum(axis=1) / size) ** 2
        return resolution

    columns = (sample.happened.astype(np.float64), np.ones(len(cell)))
    return Sums(
        by_cell(cell, bins, *columns), figure, Construction.PIVOTAL_ROOT, highest=_MOST_VARIED
    )


def _isotonic_sums(part: str | None, sample: Sample, unit: Integers) -> Sums | None:
    """Return a part's sums with the curve held, without what chance adds to the parts.

    A curve fits its own rows too well, which is what chance adds to reliability and resolution, and
    other rows too ill. Of the difference, which cross-fitting shows, the former is about 0.68 where
    the curve rises throughout, and a half where it is flat.
    """
    if part == "uncertainty":
        terms = sparse.csr_array(np.column_stack((sample.happened, np.ones(len(sample)))))
        return Sums(terms, lambda sums: sums[:, 0] / sums[:, 1] * (1 - sums[:, 0] / sums[:, 1]))
    if part not in ("reliability", "resolution"):
        return None
    blocks = brier.isotonic_blocks(sample)
    rates = brier.isotonic_rates(blocks, sample.probability)
    own, score = (rates - sample.happened) ** 2, (sample.probability - sample.happened) ** 2
    further = _OWN_ROWS * ((_cross_fitted(sample, unit) - sample.happened) ** 2 - own)
    excess = float(np.average(further, weights=sample.weight))
    # what chance adds is a sum over blocks; that its spread is its mean over their root is measured
    doubt = excess / len(blocks.weight) ** 0.5
    left, ones = own + further, np.ones(len(own))
    if part == "reliability":
        terms = np.column_stack((score - left, ones))
        return Sums(
            sparse.csr_array(terms),
            lambda sums: sums[:, 0] / sums[:, 1],
            excess=excess,
            doubt=doubt,
            highest=1.0,
        )

    def figure(sums: Floats) -> Floats:
        rate = sums[:, 2] / sums[:, 1]
        resolution: Floats = rate * (1 - rate) - sums[:, 0] / sums[:, 1]
        return resolution

    terms = np.column_stack((left, ones, sample.happened))
    return Sums(sparse.csr_array(terms), figure, excess=excess, doubt=doubt, highest=_MOST_VARIED)


def _cross_fitted(sample: Sample, unit: Integers) -> Floats:
    """Return for each row the rate by an isotonic curve that did not see the row's unit."""
    fold, rates = unit % _FOLDS, np.empty(len(sample))
    for number in range(_FOLDS):
        held = fold == number
        if not held.any():
            continue
        weight = np.ones(len(sample)) if sample.weight is None else sample.weight
        learned = ~held & (weight > 0)
        score, place = np.unique(sample.probability[learned], return_inverse=True)
        weights = np.bincount(place, weights=weight[learned])
        events = np.bincount(place, weights=weight[learned] * sample.happened[learned])
        curve = isotonic_regression(events / weights, weights=weights).x
        rates[held] = np.interp(sample.probability[held], score, curve)
    return rates


def _line_sums(metric: Callable[..., Any], part: str, sample: Sample) -> Sums:
    """Return the sums of one step of Newton's method from the likeliest line."""
    line = metric(sample.happened, sample.probability, weight=sample.weight)
    logit, finite = recalibration.logits(sample.probability)
    terms = recalibration.scores(sample.happened, logit, line.intercept + line.slope * logit)
    terms *= finite[:, None]
    if metric is recalibration.calibration_in_the_large:
        if part == "slope":
            raise CalibrationError("part slope: it is held at 1, so it has no interval")
        return Sums(
            sparse.csr_array(terms[:, [0, 2]]),
            lambda sums: line.intercept + _ratio(sums[:, 0], sums[:, 1]),
        )

    def figure(sums: Floats) -> Floats:
        off, off_slope, flat, mixed, steep = sums.T
        extent = flat * steep - mixed**2
        extent = np.where(extent > 1e-12 * flat * steep, extent, np.nan)
        if part == "intercept":
            moved: Floats = line.intercept + (steep * off - mixed * off_slope) / extent
        else:
            moved = line.slope + (flat * off_slope - mixed * off) / extent
        return moved

    return Sums(sparse.csr_array(terms), figure)


_MEANS: Final[dict[Callable[..., Any], Callable[[Sample], Sums]]] = {
    metrics.calibration_ratio: _calibration_ratio,
    metrics.log_loss: _log_loss,
    metrics.normalised_entropy: _normalised_entropy,
    metrics.brier_score: _brier_score,
}
_LINES: Final[tuple[Callable[..., Any], ...]] = (
    recalibration.logistic_recalibration,
    recalibration.calibration_in_the_large,
)
