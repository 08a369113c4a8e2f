"""Calibrators of one to three coefficients, for samples too small for a free form.

All are monotone: a coefficient that would turn the ranking round is held at 0, and a sample on
which low scores mean many events gets a constant.

An exact 0 has no logit. It counts as the smallest score of the sample above 1e-12, or as
1 / (n + 2) if that is less: n rows could not tell it from that. So does every score below it, and
likewise at 1: no rows could tell such scores apart, and the search for the best line would miss it.

References
----------
Platt, "Probabilistic outputs for support vector machines and comparisons to regularized likelihood
methods", 1999.
Kull, Silva Filho and Flach, "Beta calibration: a well-founded and easily implemented improvement on
logistic calibration for binary classifiers", AISTATS 2017.
Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017, for the
temperature.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

import numpy as np

from calibration.calibrators import Calibrator, limits_of
from calibration.logistic import Targets, fit_logistic, sigmoid
from calibration.samples import Floats, Sample

_LEAST_SCORE: Final = 1e-12
_ROWS_AT_ONCE: Final = 500_000


@dataclass(frozen=True)
class LogisticCalibrator(Calibrator):
    """What those have in common: log-odds that are a sum of columns of the score.

    Attributes
    ----------
    coefficients : tuple of float
        What the columns are multiplied by.
    held : tuple of float
        The lowest and highest score that is told apart from 0 and from 1.
    """

    start: ClassVar[tuple[float, ...]]
    slopes: ClassVar[tuple[int, ...]]
    free: ClassVar[tuple[int, ...]]
    coefficients: tuple[float, ...] = ()
    held: tuple[float, ...] = ()

    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator; all weights are above 0 and both outcomes are there."""
        held = _held(sample)
        chosen = replace(self, held=held, limits=limits_of(sample))
        lowest, highest = float(sample.probability.min()), float(sample.probability.max())
        # equal scores tell nothing of slopes, only of the level
        fixed = self.slopes if lowest == highest and self._has_level() else ()
        coefficients = fit_logistic(
            sample,
            chosen._columns,
            start=self.start,
            free=tuple(column for column in self.free if column not in fixed),
            non_negative=self.slopes,
            targets=self._targets(sample),
        )
        return replace(chosen, coefficients=coefficients)

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        if not self.limits:
            return not self.coefficients and not self.held
        return (
            super().is_consistent()
            and len(self.coefficients) == len(self.start)
            and bool(np.isfinite(self.coefficients).all())
            and all(self.coefficients[column] >= 0 for column in self.slopes)
            and len(self.held) == 2
            and 0 < self.held[0] <= self.held[1] < 1
        )

    def _has_level(self) -> bool:
        return any(column not in self.slopes for column in self.free)

    def _targets(self, sample: Sample) -> Targets:
        """Return 0 and 1, or Platt's targets where the likelihood would have no maximum."""
        return Targets() if _has_maximum(sample) else Targets.of_platt(sample)

    def _map(self, scores: Floats) -> Floats:
        result: Floats = sigmoid(np.array(self.coefficients) @ self._columns(scores))
        return result

    def _columns(self, scores: Floats) -> Floats:
        """Return the columns of scores, shape (k, n)."""
        inner = np.clip(scores, self.held[0], self.held[1])
        return np.stack([_logit(inner), np.ones(len(inner))])


@dataclass(frozen=True)
class SigmoidCalibrator(LogisticCalibrator):
    """Platt's: a slope and an intercept on the logit of the score; monotone.

    It gives what scikit-learn's CalibratedClassifierCV(method="sigmoid") gives on these logits, but
    for a slope below 0. If all scores are equal the slope is 1. Targets are Platt's.
    """

    kind: ClassVar[str] = "sigmoid"
    start: ClassVar[tuple[float, ...]] = (1.0, 0.0)
    slopes: ClassVar[tuple[int, ...]] = (0,)
    free: ClassVar[tuple[int, ...]] = (0, 1)

    def _targets(self, sample: Sample) -> Targets:
        return Targets.of_platt(sample)


@dataclass(frozen=True)
class BetaCalibrator(LogisticCalibrator):
    """Kull's: log-odds a ln(p) - b ln(1 - p) + c with a and b of at least 0; monotone.

    It gives the maximum of the likelihood. If all scores are equal, a and b are 1. Where all scores
    of events are at least all others no maximum exists, and the targets are Platt's.
    """

    kind: ClassVar[str] = "beta"
    start: ClassVar[tuple[float, ...]] = (1.0, 1.0, 0.0)
    slopes: ClassVar[tuple[int, ...]] = (0, 1)
    free: ClassVar[tuple[int, ...]] = (0, 1, 2)

    def _columns(self, scores: Floats) -> Floats:
        inner = np.clip(scores, self.held[0], self.held[1])
        return np.stack([np.log(inner), -np.log1p(-inner), np.ones(len(inner))])


@dataclass(frozen=True)
class TemperatureCalibrator(LogisticCalibrator):
    """One factor, 1 / temperature, on the logit of the score; monotone.

    It gives the maximum of the likelihood. If all scores are one half, any factor would do and it
    is 1. Where every event scores at least one half and every other row at most that, no maximum
    exists, and the targets are Platt's. A sample that would have it below 0 makes it 0: then every
    probability is one half.
    """

    kind: ClassVar[str] = "temperature"
    start: ClassVar[tuple[float, ...]] = (1.0,)
    slopes: ClassVar[tuple[int, ...]] = (0,)
    free: ClassVar[tuple[int, ...]] = (0,)

    def _columns(self, scores: Floats) -> Floats:
        return _logit(np.clip(scores, self.held[0], self.held[1]))[None, :]

    def _targets(self, sample: Sample) -> Targets:
        above = sample.probability > 0.5
        wrong = (above & ~sample.happened).any()
        np.less(sample.probability, 0.5, out=above)
        wrong = wrong or (above & sample.happened).any()
        return Targets() if wrong else Targets.of_platt(sample)


def _logit(scores: Floats) -> Floats:
    result: Floats = np.log(scores) - np.log1p(-scores)
    return result


def _held(sample: Sample) -> tuple[float, float]:
    """Return the lowest and the highest score that count as they are."""
    unknown = 1 / (sample.size + 2)
    low, high = unknown, 1 - unknown
    for start in range(0, len(sample), _ROWS_AT_ONCE):
        scores = sample.probability[start : start + _ROWS_AT_ONCE]
        low = min(low, float(scores.min(where=scores > _LEAST_SCORE, initial=1.0)))
        high = max(high, float(scores.max(where=scores < 1 - _LEAST_SCORE, initial=0.0)))
    return max(low, _LEAST_SCORE), min(high, 1 - _LEAST_SCORE)


def _has_maximum(sample: Sample) -> bool:
    """Tell whether some event has a lower score than some other row, or all have the same."""
    scores, happened = sample.probability, sample.happened
    if scores.min() == scores.max():
        return True
    lowest = scores.min(where=happened, initial=1.0)
    highest = scores.max(where=~happened, initial=0.0)
    return bool(lowest < highest)
