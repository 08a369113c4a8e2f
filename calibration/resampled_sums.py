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
from scipy.special import entr

from calibration import binned_errors, brier, metrics, recalibration, smooth_error
from calibration.cells import Cells
from calibration.constructions import Construction
from calibration.error_worlds import Worlds
from calibration.errors import CalibrationError
from calibration.ranks import isotonic_blocks
from calibration.resampled_errors import (
    BINNED,
    binned_reliability,
    binned_worlds,
    by_cell,
    smooth_worlds,
)
from calibration.samples import Floats, Sample
from calibration.units import Rows, Terms, Units

_ROWS_AT_ONCE: Final = 500_000
_FOLDS: Final = 10
_MOST_VARIED: Final = 0.25  # the variance of outcomes of which half happen
_OWN_ROWS: Final = 0.68  # measured at 2,000 to 20,000 rows


@dataclass(frozen=True)
class Sums:
    """A figure as a function of sums.

    Attributes
    ----------
    terms : Terms of d columns
        What rows add to the sums.
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

    terms: Terms
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
    if part is None and metric in _MEANS and not options:
        return _MEANS[metric]
    if metric in BINNED:
        return binned_worlds(metric, part, units, options)
    if metric is smooth_error.smooth_calibration_error and not options:
        return smooth_worlds(units)
    if metric is brier.brier_decomposition and set(options) <= {"by", "debiased"}:
        return _brier_sums(part, units, options.get("by", "isotonic"))
    if metric in _LINES and part in ("intercept", "slope"):
        return _line_sums(metric, part, units.sample)
    return None


def _brier_sums(part: str | None, units: Units, by: Any) -> Sums | Worlds | None:
    if part == "uncertainty":
        terms = Terms.dense(2, lambda rows: (rows.happened.astype(np.float64), _ones(rows)))
        return Sums(terms, lambda sums: _spread(sums[:, 0] / sums[:, 1]))
    if part not in ("reliability", "resolution"):
        return None
    if by == "isotonic":
        return _isotonic_sums(part, units)
    return binned_reliability(units, by) if part == "reliability" else _binned_resolution(by)


def _spread(rate: Floats) -> Floats:
    return rate * (1 - rate)


def _ones(rows: Rows) -> Floats:
    return np.ones(len(rows.happened))


def _ratio(above: Floats, below: Floats) -> Floats:
    """Return quotients, not a number where there is nothing to divide by."""
    safe = np.where(below > 0, below, np.nan)
    quotient: Floats = above / safe
    return quotient


def _share(sums: Floats) -> Floats:
    return _ratio(sums[:, 0], sums[:, 1])


def _calibration_ratio(rows: Rows) -> tuple[Floats, ...]:
    return rows.probability, rows.happened.astype(np.float64)


def _log_loss(rows: Rows) -> tuple[Floats, ...]:
    return metrics.losses(rows.happened, rows.probability), _ones(rows)


def _brier_score(rows: Rows) -> tuple[Floats, ...]:
    return (rows.probability - rows.happened) ** 2, _ones(rows)


def _normalised_entropy(rows: Rows) -> tuple[Floats, ...]:
    return *_log_loss(rows), rows.happened.astype(np.float64)


def _entropy(sums: Floats) -> Floats:
    rate = sums[:, 2] / sums[:, 1]
    return _ratio(sums[:, 0] / sums[:, 1], entr(rate) + entr(1 - rate))


def _binned_resolution(bins: int) -> Sums:
    def figure(sums: Floats) -> Floats:
        events, weight = sums[:, :bins], sums[:, bins:]
        size = weight.sum(axis=1)
        squares = events**2 / np.where(weight > 0, weight, np.inf)
        resolution: Floats = squares.sum(axis=1) / size - (events.sum(axis=1) / size) ** 2
        return resolution

    terms = by_cell(
        2,
        lambda rows: binned_errors.equal_width_bin(rows.probability, bins),
        bins,
        lambda rows, _: (rows.happened.astype(np.float64), _ones(rows)),
    )
    return Sums(terms, figure, Construction.PIVOTAL_ROOT, highest=_MOST_VARIED)


def _isotonic_sums(part: str, units: Units) -> Sums:
    """Return a part's sums with the curve held, without what chance adds to the parts.

    A curve fits its own rows too well, which is what chance adds to reliability and resolution, and
    other rows too ill. Of the difference, which cross-fitting shows, the former is about 0.68 where
    the curve rises throughout, and a half where it is flat.
    """
    blocks = isotonic_blocks(units.sample)
    lowest, levels, folds = blocks.lowest, blocks.rate, _cross_fitted(units)

    def left_of(rows: Rows) -> tuple[Floats, Floats]:
        """Return the squares that the curve leaves, and what chance took off them."""
        place = np.searchsorted(lowest, rows.probability, side="right") - 1
        own = (levels[np.maximum(place, 0)] - rows.happened) ** 2
        return own, _OWN_ROWS * ((_held_out(folds, rows) - rows.happened) ** 2 - own)

    excess = sum(float(rows.mass @ left_of(rows)[1]) for rows in units.parts())
    excess /= len(units.sample)  # which the masses sum to
    # what chance adds is a sum over blocks; that its spread is its mean over their root is measured
    doubt = excess / len(blocks) ** 0.5

    def terms(rows: Rows) -> tuple[Floats, ...]:
        own, further = left_of(rows)
        if part == "resolution":
            return own + further, _ones(rows), rows.happened.astype(np.float64)
        score = (rows.probability - rows.happened) ** 2
        return score - (own + further), _ones(rows)

    if part == "reliability":
        return Sums(
            Terms.dense(2, terms),
            lambda sums: sums[:, 0] / sums[:, 1],
            excess=excess,
            doubt=doubt,
            highest=1.0,
        )
    return Sums(
        Terms.dense(3, terms),
        lambda sums: _spread(sums[:, 2] / sums[:, 1]) - sums[:, 0] / sums[:, 1],
        excess=excess,
        doubt=doubt,
        highest=_MOST_VARIED,
    )


def _cross_fitted(units: Units) -> list[Cells]:
    """Return for each fold of units the isotonic blocks of the others."""
    blocks: list[Cells] = []
    for fold in range(min(_FOLDS, len(units))):
        learned = np.empty(len(units.sample), dtype=np.bool_)
        for start in range(0, len(learned), _ROWS_AT_ONCE):
            some = slice(start, min(start + _ROWS_AT_ONCE, len(learned)))
            np.not_equal(units.units(some) % _FOLDS, fold, out=learned[some])
        blocks.append(isotonic_blocks(units.sample, learned))
    return blocks


def _held_out(folds: list[Cells], rows: Rows) -> Floats:
    """Return for each row the rate by an isotonic curve that did not see the row's unit."""
    fold, rates = rows.unit % _FOLDS, np.empty(len(rows.unit))
    for number, blocks in enumerate(folds):
        held = fold == number
        rates[held] = blocks.interpolate(blocks.rate, rows.probability[held])
    return rates


def _line_sums(metric: Callable[..., Any], part: str, sample: Sample) -> Sums:
    """Return the sums of one step of Newton's method from the likeliest line."""
    line = metric(sample.happened, sample.probability, weight=sample.weight)

    def of_line(rows: Rows) -> tuple[Floats, ...]:
        logit, finite = recalibration.logits(rows.probability)
        scores = recalibration.scores(rows.happened, logit, line.intercept + line.slope * logit)
        return tuple((scores * finite[:, None]).T)

    if metric is recalibration.calibration_in_the_large:
        if part == "slope":
            raise CalibrationError("part slope: it is held at 1, so it has no interval")
        return Sums(
            Terms.dense(2, lambda rows: of_line(rows)[0:3:2]),
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

    return Sums(Terms.dense(5, of_line), figure)


_MEANS: Final[dict[Callable[..., Any], Sums]] = {
    metrics.calibration_ratio: Sums(Terms.dense(2, _calibration_ratio), _share),
    metrics.log_loss: Sums(Terms.dense(2, _log_loss), _share),
    metrics.normalised_entropy: Sums(Terms.dense(3, _normalised_entropy), _entropy),
    metrics.brier_score: Sums(Terms.dense(2, _brier_score), _share),
}
_LINES: Final[tuple[Callable[..., Any], ...]] = (
    recalibration.logistic_recalibration,
    recalibration.calibration_in_the_large,
)
