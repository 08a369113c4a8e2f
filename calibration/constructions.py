"""How intervals are made of the figures of resamples.

References
----------
Efron, "Better bootstrap confidence intervals", JASA 1987, for BCa.
Davison and Hinkley, Bootstrap Methods and their Application, 1997, chapter 5, for pivotal ones.
"""

from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from calibration.samples import Floats


class Construction(StrEnum):
    """How an interval is made of the figures of resamples.

    Attributes
    ----------
    ACCELERATED
        Percentiles, corrected for bias and skewness (BCa, Efron 1987): for figures that chance
        moves either way.
    PIVOTAL
        The sample's figure less what resamples are off from it: for sums of squares, to which
        chance adds the same each time. Ends no lower than 0.
    PIVOTAL_SQUARED
        The same of the figure's square: for distances.
    PIVOTAL_ROOT
        The same of the figure's root: for sums of squares, which spread as their root does.
    """

    ACCELERATED = "accelerated"
    PIVOTAL = "pivotal"
    PIVOTAL_SQUARED = "pivotal squared"
    PIVOTAL_ROOT = "pivotal root"

    @property
    def power(self) -> float:
        """The power of the figure that a pivotal interval is made of."""
        return {Construction.PIVOTAL_SQUARED: 2.0, Construction.PIVOTAL_ROOT: 0.5}.get(self, 1.0)


def accelerated_ends(
    drawn: Floats, centre: float, left_out: Floats, tail: float
) -> tuple[float, float]:
    """Return percentiles corrected for bias and skewness.

    Parameters
    ----------
    drawn : ndarray of float64, shape (k,)
        Figures of resamples.
    centre : float
        The figure of the sample.
    left_out : ndarray of float64, shape (g,)
        Figures of the sample without one of g groups, of which the skewness is told.
    tail : float
        Standard deviations from the middle to the lower end, below 0.
    """
    change = left_out.mean() - left_out if len(left_out) else np.zeros(1)
    spread = float((change**2).sum()) ** 1.5
    acceleration = float((change**3).sum()) / (6 * spread) if spread > 0 else 0.0
    below = np.count_nonzero(drawn < centre) + np.count_nonzero(drawn == centre) / 2
    bias = float(norm.ppf(np.clip(below / len(drawn), 1 / len(drawn), 1 - 1 / len(drawn))))
    score = bias + np.array([tail, -tail])
    shares = norm.cdf(bias + score / np.maximum(1 - acceleration * score, 0.1))
    low, high = quantiles(drawn, shares)
    return float(low), float(high)


def pivotal_ends(
    drawn: Floats, centre: float, tail: float, *, power: float = 1.0
) -> tuple[float, float]:
    """Return twice the figure less the percentiles, at least 0, on the scale of a power.

    Parameters
    ----------
    drawn, centre, tail
        As :func:`accelerated_ends` takes them.
    power : float
        Of the figure; negative figures count as 0 unless it is 1.
    """
    ends = quantiles(drawn, norm.cdf((-tail, tail)))
    if power != 1:
        centre, ends = max(centre, 0.0) ** power, np.maximum(ends, 0.0) ** power
    low, high = np.maximum(2 * centre - ends, 0.0) ** (1 / power)
    return float(low), float(high)


def quantiles(drawn: Floats, shares: npt.ArrayLike) -> Floats:
    """Return quantiles such that one more resample would lie below as often as the share says."""
    at = np.asarray(shares, dtype=np.float64)
    return np.asarray(np.quantile(drawn, at, method="weibull"), dtype=np.float64)


def square_ends(
    ends: tuple[float, float], value: float, excess: float, doubt: float = 0.0
) -> tuple[float, float]:
    """Return the ends of a sum of squares whose spread was taken to be the same everywhere.

    Where the sample would show u its spread is ``sqrt(u / value)`` times what it is, so each end is
    where ``u = value + (end - value) * sqrt(u / value)``.

    Parameters
    ----------
    ends : (float, float)
        The ends as they were taken, without the excess.
    value : float
        The figure of the sample, excess and all.
    excess : float
        What chance adds to it. Ends stay at least 0.
    doubt : float
        How far the excess could be off at the level of the ends; widens them.
    """
    if value <= 0:
        return max(0.0, ends[0]), max(0.0, ends[1])
    away = np.array(ends) + excess - value
    away = np.where(away * [-1, 1] > 0, np.hypot(away, doubt) * [-1, 1], away)
    step = away / np.sqrt(value)
    low, high = np.square((step + np.sqrt(step**2 + 4 * value)) / 2) - excess
    return max(0.0, float(low)), max(0.0, float(high))
