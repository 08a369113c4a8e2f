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
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from calibration.constructions import quantiles
from calibration.samples import Bools, Floats
from calibration.units import Rows, Terms, Units

Integers = npt.NDArray[np.int64]
Figure = Callable[[Floats, Floats, Floats], Floats]
_FARTHEST: Final = 64.0  # times the pattern
_TOLERANCE: Final = 1e-4
_PEAKED: Final = 4
_SUMS_AT_ONCE: Final = 500_000


@dataclass(frozen=True)
class Gaps:
    """By how much probability and rate differ in each cell of rows, and by how much truly.

    Attributes
    ----------
    gap : ndarray of float64, shape (c,)
        Mean residual (probability less outcome) of each cell.
    pattern : ndarray of float64, shape (c,)
        What of the gaps does not look like chance.
    own : ndarray of float64, shape (c,)
        Times an independent normal variable for each cell, what the pattern could be off there.
    shared : ndarray of float64, shape (d, c)
        Times d others, what it could be off in all cells at once.
    """

    gap: Floats
    pattern: Floats
    own: Floats
    shared: Floats

    def noise(self, rows: Rows, cell: Integers) -> Floats:
        """Return the residuals of rows without the gap of their cells, shape (m,)."""
        noise: Floats = rows.probability - rows.happened - self.gap[cell]
        return noise

    def draw(self, count: int, generator: np.random.Generator) -> Floats:
        """Return what the pattern could be, shape (count, c)."""
        cells = len(self.own)
        normal = generator.standard_normal((count, cells + len(self.shared)))
        drawn: Floats = normal[:, cells:] @ self.shared
        drawn += self.pattern
        drawn += np.multiply(normal[:, :cells], self.own, out=normal[:, :cells])
        return drawn


@dataclass(frozen=True)
class Worlds:
    """An error as a function of sums of residuals.

    Attributes
    ----------
    gaps : Gaps
        The cells and the pattern.
    terms : Terms of 2 * s + e columns
        What rows add to s sums of noise (residuals less the gap of their cell), s of weight, and e
        of whatever else the error is a function of.
    place : ndarray of int, shape (s,)
        The cell whose gap shifts each sum.
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
    terms: Terms
    place: Integers
    figure: Figure
    truth: Figure
    observed: float
    asked: Bools | None = None
    highest: float = 1.0

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
        count = len(self.place)
        off, mass, further = np.split(whole[None, :], [count, 2 * count], axis=1)
        noise, weight, extra = np.split(drawn, [count, 2 * count], axis=1)
        held = weight.any(axis=1)
        if not held.all():
            noise, weight, extra = noise[held], weight[held], extra[held]
        seen = _Seen(self, mass, further, noise - off, weight, extra)
        patterns = self.gaps.draw(len(noise), random)
        low = seen.end(patterns, shares[1], self.observed)
        usual = float(np.median(seen.figures(seen.noise, 0.0)))  # of a calibrated world
        peaked = patterns if self.asked is None else _peaked(patterns, self.asked)
        return low, max(low, seen.end(peaked, shares[0], max(usual, self.observed)))


@dataclass(frozen=True)
class _Seen:
    """What resamples show of worlds; figures are made of some of them at a time.

    Attributes
    ----------
    worlds : Worlds
    mass, further : ndarray of float64, shape (1, s) and (1, e)
        Sums of weights and the extra sums of the sample.
    noise, weight, extra : ndarray of float64, shape (k, s), (k, s) and (k, e)
        Sums of k resamples.
    """

    worlds: Worlds
    mass: Floats
    further: Floats
    noise: Floats
    weight: Floats
    extra: Floats

    def end(self, shapes: Floats, share: float, observed: float) -> float:
        """Return the error of the world of these patterns that leaves a share below what is seen.

        Parameters
        ----------
        shapes : ndarray of float64, shape (k, c)
            A pattern for each resample.
        share : float
            Of resamples.
        observed : float
            The error that is seen.
        """
        worlds, signal = self.worlds, self._scaled(shapes)
        signal *= self.weight

        def over(factor: float) -> float:
            return float(quantiles(self.figures(signal, factor), share)) - observed

        factor = _root(over, observed)
        middle = factor * self._scaled(worlds.gaps.pattern[None, :]) * self.mass
        return min(worlds.highest, float(worlds.truth(middle, self.mass, self.further)[0]))

    def figures(self, signal: Floats, factor: float) -> Floats:
        """Return the figures of the resamples, so many times miscalibrated by a signal."""
        told = (
            self.worlds.figure(
                self.noise[some] + factor * signal[some], self.weight[some], self.extra[some]
            )
            for some in _blocks(signal)
        )
        return np.concatenate(list(told))

    def _scaled(self, shapes: Floats) -> Floats:
        """Return patterns whose figure without noise is 1, for each sum."""
        laid = shapes[:, self.worlds.place]
        levels = [
            self.worlds.figure(laid[some] * self.mass, self.mass, self.further)
            for some in _blocks(laid)
        ]
        laid /= np.maximum(np.concatenate(levels), np.finfo(np.float64).tiny)[:, None]
        return laid


def _blocks(rows: Floats) -> list[slice]:
    """Return parts of rows, small enough for what is made of them to stay small."""
    at_once = max(1, _SUMS_AT_ONCE // rows.shape[1])
    return [slice(start, start + at_once) for start in range(0, len(rows), at_once)]


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


def gaps_of(units: Units, cell_of: Callable[[Rows], Integers], cells: int, *, degree: int) -> Gaps:
    """Return the gaps of cells and their pattern.

    Parameters
    ----------
    units : Units
        The rows, and what is resampled whole.
    cell_of : callable
        Takes rows, gives the cell of each; each cell holds some weight.
    cells : int
        How many there are.
    degree : int
        Of the polynomial over the cells' mean probabilities: 0 for a mean.
    """
    weight, residual, expected = np.zeros((3, cells))
    for rows in units.parts():
        cell = cell_of(rows)
        np.add.at(weight, cell, rows.mass)
        np.add.at(residual, cell, rows.mass * (rows.probability - rows.happened))
        np.add.at(expected, cell, rows.mass * rows.probability)
    gap = residual / weight
    least = (float(weight.sum()) / len(units) / 2) ** 2  # half a unit is never known
    error = np.sqrt(np.maximum(_squares(units, cell_of, gap), least)) / weight
    pattern, own, shared = _without_chance(gap, error, expected / weight, degree)
    if not np.abs(pattern).max() > 0:
        pattern = np.ones(cells)
    return Gaps(gap, pattern, own, shared)


def _squares(units: Units, cell_of: Callable[[Rows], Integers], gap: Floats) -> Floats:
    """Return for each cell the sum over units of the square of what they sum to, less the gap."""
    squares, cells = np.zeros(len(gap)), len(gap)
    open_place, open_sum = np.empty(0, dtype=np.int64), np.empty(0)  # of the last unit so far
    for rows in units.parts():
        cell = cell_of(rows)
        off = rows.mass * (rows.probability - rows.happened - gap[cell])
        place, inverse = np.unique(
            np.concatenate((open_place, rows.unit * cells + cell)), return_inverse=True
        )
        sums = np.zeros(len(place))
        np.add.at(sums, inverse, np.concatenate((open_sum, off)))
        ended = int(np.searchsorted(place, int(rows.unit[-1]) * cells))
        np.add.at(squares, place[:ended] % cells, sums[:ended] ** 2)
        open_place, open_sum = place[ended:], sums[ended:]
    np.add.at(squares, open_place % cells, open_sum**2)
    return squares


def _without_chance(
    gap: Floats, error: Floats, at: Floats, degree: int
) -> tuple[Floats, Floats, Floats]:
    """Return gaps drawn towards a polynomial as far as chance explains the rest, and the doubt."""
    left = len(gap) - degree - 1
    if left < 1:
        return gap, np.zeros(len(gap)), np.zeros((0, len(gap)))
    design = np.vander(at, degree + 1)
    trend = design @ np.linalg.lstsq(design / error[:, None], gap / error, rcond=None)[0]
    precision = error**-2
    excess = float(precision @ (gap - trend) ** 2) - left
    told = float(precision.sum() - (precision**2).sum() / precision.sum())
    spread = max(0.0, excess / told) if told > 0 else 0.0
    share = spread / (spread + error**2)
    scatter = np.sqrt(spread + error**2)[:, None]
    basis, _ = np.linalg.qr(design / scatter)  # the trend's own error, in as many directions
    of_trend = (basis * scatter).T * (1 - share)
    return trend + share * (gap - trend), np.sqrt(share) * error, of_trend
