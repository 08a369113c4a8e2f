"""Corrections of the level alone: of a sampling rate, or of a base rate that has changed.

Both multiply the odds by one factor, so that the ranking stays.

References
----------
King and Zeng, "Logistic regression in rare events data", Political Analysis 9, 2001.
Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
probabilities: a simple procedure", Neural Computation 14, 2002.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq

from calibration.calibrators import FLOATS, counted
from calibration.errors import InvalidSampleError
from calibration.logistic import Targets
from calibration.parametric import LogisticCalibrator
from calibration.rows import parts
from calibration.samples import Sample


@dataclass(frozen=True)
class PriorCalibrator(LogisticCalibrator):
    """The odds multiplied by one factor; monotone.

    ``fit`` finds the factor that makes the expected events those observed (the maximum of the
    likelihood). :meth:`for_sampling` and :meth:`for_rates` know it without a sample; no sample
    then says how near to 0 and 1 it may go, and the limits are the floats next to them.
    """

    kind: ClassVar[str] = "prior"
    start: ClassVar[tuple[float, ...]] = (1.0, 0.0)
    slopes: ClassVar[tuple[int, ...]] = (0,)
    free: ClassVar[tuple[int, ...]] = (1,)

    @classmethod
    def for_sampling(cls, *, kept: float) -> Self:
        """Return the correction of a model that saw every event but only some of the other rows.

        Parameters
        ----------
        kept : float
            The share of rows without the event that was kept, above 0 and at most 1.

        Raises
        ------
        InvalidSampleError
            If the share is outside its range.
        """
        if not 0 < kept <= 1:
            raise InvalidSampleError(f"kept = {kept}: give a share above 0 and at most 1")
        return cls._of_shift(log(kept))

    @classmethod
    def for_rates(cls, *, trained_rate: float, rate: float) -> Self:
        """Return the correction of a model that was trained at another base rate.

        Parameters
        ----------
        trained_rate, rate : float
            The share of events where it was trained, and where it is used; between 0 and 1.

        Raises
        ------
        InvalidSampleError
            If a rate is not between 0 and 1.
        """
        _require_rate("trained_rate", trained_rate)
        _require_rate("rate", rate)
        return cls._of_shift(log(rate / (1 - rate)) - log(trained_rate / (1 - trained_rate)))

    @property
    def factor(self) -> float:
        """What the odds are multiplied by; 1 before it is fitted."""
        return float(np.exp(self.coefficients[1])) if self.coefficients else 1.0

    def _targets(self, sample: Sample) -> Targets:
        return Targets()  # a level always has a best value

    @classmethod
    def _of_shift(cls, shift: float) -> Self:
        return cls(limits=FLOATS, coefficients=(1.0, shift), held=FLOATS)


def estimate_rate(
    y_prob: npt.ArrayLike, *, trained_rate: float, weight: npt.ArrayLike | None = None
) -> float:
    """Return the base rate of rows whose outcomes are unknown, from the scores of a model.

    It is that at which the corrected scores have the base rate as their mean: where the EM
    algorithm of Saerens, Latinne and Decaestecker (2002) ends, found by bracketing its fixed
    point, which takes few passes where EM takes hundreds. It supposes that the model was calibrated
    where it was trained and that scores are distributed as there among events, and among others.

    Of n rows the result is never below t / (n + 1) nor above (n + t) / (n + 1), where t is the rate
    in training. If all scores are ``trained_rate`` they say nothing, and it is the result. Weights
    may be multiplied by any number, but for these limits.

    Parameters
    ----------
    y_prob : array_like of shape (n,)
        Scores in [0, 1].
    trained_rate : float
        The share of events where the model was trained.
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.

    Raises
    ------
    InvalidSampleError
        If a value is outside its range.
    """
    _require_rate("trained_rate", trained_rate)
    outcomes = np.broadcast_to(np.False_, np.shape(y_prob))
    sample = counted(Sample.of(outcomes, y_prob, weight))
    size = sample.size
    low, high = trained_rate / (size + 1), (size + trained_rate) / (size + 1)
    if sample.probability.min() == sample.probability.max() == trained_rate:
        return trained_rate
    if _improvement(low, sample, trained_rate) <= 0:
        return low
    if _improvement(high, sample, trained_rate) >= 0:
        return high
    return float(brentq(_improvement, low, high, args=(sample, trained_rate), xtol=1e-15))


def _improvement(rate: float, sample: Sample, trained_rate: float) -> float:
    """Return the derivative of the log likelihood a row by the base rate, which descends."""
    total = 0.0
    for part in parts(sample):
        other = (1 - part.probability) / (1 - trained_rate)
        gain = part.probability / trained_rate - other
        other += rate * gain  # rate * event + (1 - rate) * other
        gain /= other
        total += float(part.weigh(gain).sum())
    return total / sample.size


def _require_rate(name: str, rate: float) -> None:
    if not 0 < rate < 1:
        raise InvalidSampleError(f"{name} = {rate}: give a share between 0 and 1")
