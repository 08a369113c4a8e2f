"""Worlds in which an error is known, so that an interval can be read off them by inverting tests.

Chance adds much to an error where probabilities are nearly right and little where they are far off,
so what resamples of one sample are too high by says little of what the sample is. Instead resamples
are drawn in worlds that are miscalibrated by a pattern times a factor. The interval ends where the
sample's error would be an extreme one: its upper end is the true error of the world in which an
error so low is as rare as the level says, its lower end that in which one so high is; and 0 if even
a calibrated world shows one so high. A sample whose error is less than calibrated worlds usually
show had luck, and gets the upper end of a usual one.

The pattern is what the gaps of cells seem to be without chance: a parabola over the probability,
and of what is off it the share that chance does not explain (empirical Bayes). As it is not known
either, each resample has a pattern of its own, drawn from what it could be and scaled to the same
error.

References
----------
Carpenter, "Test inversion bootstrap confidence intervals", J. Royal Statistical Society B 1999.
Efron and Morris, "Stein's estimation rule and its competitors", JASA 1973.
Laird and Louis, "Empirical Bayes confidence intervals based on bootstrap samples", JASA 1987.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import brentq

from calibration.constructions import quantiles
from calibration.samples import Bools, Floats, Sample

Integers = npt.NDArray[np.int64]
Figure = Callable[[Floats, Floats, Floats], Floats]
_FARTHEST: Final = 64.0  # times the pattern
_TOLERANCE: Final = 1e-4
_PEAKED: Final = 4


@dataclass(frozen=True)
class Gaps:
    """Rows in cells, by how much probability and rate differ in each, and by how much truly.

    Attributes
    ----------
    cell : ndarray of int, shape (n,)
    residual : ndarray of float64, shape (n,)
        Probability less outcome.
    gap : ndarray of float64, shape (c,)
        Mean residual of each cell.
    pattern : ndarray of float64, shape (c,)
        What of the gaps does not look like chance.
    doubt : ndarray of float64, shape (d, c)
        Times d independent normal variables, what the pattern could be off.
    """

    cell: Integers
    residual: Floats
    gap: Floats
    pattern: Floats
    doubt: Floats

    @property
    def noise(self) -> Floats:
        """The residuals without the gap of their cell, shape (n,)."""
        noise: Floats = self.residual - self.gap[self.cell]
        return noise

    def draw(self, count: int, generator: np.random.Generator) -> Floats:
        """Return what the pattern could be, shape (count, c)."""
        normal = generator.standard_normal((count, len(self.doubt)))
        drawn: Floats = self.pattern + normal @ self.doubt
        return drawn


@dataclass(frozen=True)
class Worlds:
    """An error as a function of sums of residuals.

    Attributes
    ----------
    gaps : Gaps
        The cells and the pattern.
    noise, weight : csr_array of float64, shape (n, s)
        What a row of weight 1 adds to the sums of noise and of weight.
    place : ndarray of int, shape (s,)
        The cell whose gap shifts each sum.
    extra : csr_array of float64, shape (n, e)
        What else the error is a function of; there may be none.
    figure : callable
        Takes sums of residuals, weights and extra sums of k samples. Gives k figures that are in
        proportion to the residuals, and as high as the sample's wherever the errors are.
    truth : callable
        Takes the same of worlds without noise; gives the errors themselves.
    observed : float
        What ``figure`` gives of the sample.
    asked : ndarray of bool, shape (c,), optional
        Of which cells the error is the maximum. Chance adds less to a maximum that stands out, so
        the upper end is sought along patterns that are drawn out to a peak.
    highest : float
        The error is never above it.
    """

    gaps: Gaps
    noise: Any
    weight: Any
    place: Integers
    extra: Any
    figure: Figure
    truth: Figure
    observed: float
    asked: Bools | None = None
    highest: float = 1.0

    @property
    def terms(self) -> Any:
        """All terms, shape (n, 2 * s + e)."""
        return sparse.hstack([self.noise, self.weight, self.extra], format="csr")

    def ends(
        self, whole: Floats, drawn: Floats, shares: tuple[float, float], random: np.random.Generator
    ) -> tuple[float, float]:
        """Return the interval.

        Parameters
        ----------
        whole : ndarray of float64, shape (2 * s + e,)
            The sums of the sample.
        drawn : ndarray of float64, shape (k, 2 * s + e)
            The sums of the resamples; empty resamples are passed over.
        shares : (float, float)
            Of resamples that the lower and the upper end leave below.
        random : Generator
            Of the patterns.
        """
        count = self.noise.shape[1]
        off, mass, further = np.split(whole[None, :], [count, 2 * count], axis=1)
        noise, weight, extra = np.split(drawn, [count, 2 * count], axis=1)
        held = weight.any(axis=1)
        noise, weight, extra = noise[held] - off, weight[held], extra[held]
        patterns = self.gaps.draw(len(noise), random)

        def scaled(shape: Floats) -> Floats:
            """Return patterns whose figure without noise is 1, for each sum."""
            level = self.figure(shape[:, self.place] * mass, mass, further)[:, None]
            return (shape / np.maximum(level, np.finfo(np.float64).tiny))[:, self.place]

        def end(shapes: Floats, share: float, observed: float) -> float:
            signal = scaled(shapes) * weight

            def over(factor: float) -> float:
                figures = self.figure(noise + factor * signal, weight, extra)
                return float(quantiles(figures, share)) - observed

            factor = _root(over, observed)
            middle = factor * scaled(self.gaps.pattern[None, :]) * mass
            return min(self.highest, float(self.truth(middle, mass, further)[0]))

        low = end(patterns, shares[1], self.observed)
        usual = float(np.median(self.figure(noise, weight, extra)))  # of a calibrated world
        peaked = patterns if self.asked is None else _peaked(patterns, self.asked)
        return low, max(low, end(peaked, shares[0], max(usual, self.observed)))


def _root(over: Callable[[float], float], start: float) -> float:
    """Return the factor at which a rising function is 0; 0 where it starts above."""
    if over(0.0) >= 0:
        return 0.0
    highest = start or 1.0
    for _ in range(int(np.log2(_FARTHEST))):
        if over(highest) >= 0:
            return float(brentq(over, 0.0, highest, xtol=_TOLERANCE * start, rtol=_TOLERANCE))
        highest *= 2
    return highest


def _peaked(patterns: Floats, asked: Bools) -> Floats:
    """Return patterns whose largest gap stands out more."""
    top = np.abs(patterns[:, asked]).max(axis=1, keepdims=True)
    share = np.minimum(np.abs(patterns) / np.maximum(top, np.finfo(np.float64).tiny), 1.0)
    higher: Floats = np.sign(patterns) * share**_PEAKED * top
    return higher


def gaps_of(
    sample: Sample, unit: Integers, cell: npt.NDArray[Any], cells: int, *, degree: int
) -> Gaps:
    """Return the gaps of cells and their pattern.

    Parameters
    ----------
    sample : Sample
        The rows.
    unit : ndarray of int, shape (n,)
        What is resampled whole; ascending.
    cell : ndarray of int, shape (n,)
        The cell of each row; each holds some weight.
    cells : int
        How many there are.
    degree : int
        Of the polynomial over the cells' mean probabilities: 0 for a mean.
    """
    residual = sample.probability - sample.happened
    mass = np.ones(len(cell)) if sample.weight is None else sample.weight / sample.weight.mean()
    weight = np.bincount(cell, mass, cells)
    gap = np.bincount(cell, mass * residual, cells) / weight
    off = mass * (residual - gap[cell])
    by_unit = sparse.csr_array((off, (unit, cell)), (int(unit[-1]) + 1, cells))
    by_unit.sum_duplicates()
    variance = np.asarray(by_unit.power(2).sum(axis=0)).ravel()
    least = (float(weight.sum()) / by_unit.shape[0] / 2) ** 2  # half a unit is never known
    error = np.sqrt(np.maximum(variance, least)) / weight
    at = np.bincount(cell, mass * sample.probability, cells) / weight
    pattern, doubt = _without_chance(gap, error, at, degree)
    if not np.abs(pattern).max() > 0:
        pattern = np.ones(cells)
    return Gaps(cell, residual, gap, pattern, doubt)


def _without_chance(gap: Floats, error: Floats, at: Floats, degree: int) -> tuple[Floats, Floats]:
    """Return gaps drawn towards a polynomial as far as chance explains the rest, and the doubt."""
    left = len(gap) - degree - 1
    if left < 1:
        return gap, np.zeros((1, len(gap)))
    design = np.vander(at, degree + 1)
    trend = design @ np.linalg.lstsq(design / error[:, None], gap / error, rcond=None)[0]
    precision = error**-2
    excess = float(precision @ (gap - trend) ** 2) - left
    spread = max(0.0, excess / float(precision.sum() - (precision**2).sum() / precision.sum()))
    share = spread / (spread + error**2)
    scatter = np.sqrt(spread + error**2)[:, None]
    basis, _ = np.linalg.qr(design / scatter)  # the trend's own error, in as many directions
    of_trend = (basis * scatter).T * (1 - share)
    doubt = np.concatenate((np.diag(np.sqrt(share) * error), of_trend))
    return trend + share * (gap - trend), doubt
