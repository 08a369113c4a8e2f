"""Figures of one number that say how well probabilities fit what happened.

References
----------
He et al., "Practical lessons from predicting clicks on ads at Facebook", ADKDD 2014, for the
normalised entropy.
Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 1950.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from calibration.errors import InsufficientDataError
from calibration.rows import parts
from calibration.samples import Bools, Floats, Sample

LEAST_CHANCE: Final = float(np.finfo(np.float64).eps)


def calibration_ratio(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> float:
    """Return predicted over observed events (PCOC): 1 is calibrated, above 1 over-predicts.

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1].
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.

    Raises
    ------
    InsufficientDataError
        If no event happened: the ratio has no denominator.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    if sample.events == 0:
        raise InsufficientDataError(
            "y_true: no event happened, so predicted over observed has no value; add rows"
        )
    return sample.expected / sample.events


def log_loss(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> float:
    """Return the mean of -log(probability given to what happened), in nats.

    A row that was given probability 0 for what happened would make the mean infinite. It counts
    as if given ``LEAST_CHANCE`` (2.2e-16), 36.04 nats, as scikit-learn does. Outcomes of one class
    and equal probabilities need no special treatment.

    Parameters
    ----------
    y_true, y_prob, weight
        As :func:`calibration_ratio` takes them.

    Raises
    ------
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    return _mean_loss(Sample.of(y_true, y_prob, weight))


def normalised_entropy(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> float:
    """Return the log loss over that of always saying the base rate (He et al. 2014).

    Below 1 the probabilities tell more than the base rate does, above 1 less.

    Parameters
    ----------
    y_true, y_prob, weight
        As :func:`calibration_ratio` takes them.

    Raises
    ------
    InsufficientDataError
        If all outcomes are the same: the base rate then has no loss to compare with.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    rate = sample.events / sample.size
    if not 0 < rate < 1:
        raise InsufficientDataError(
            "y_true: all outcomes are the same, so the base rate has no log loss to divide by; "
            "add rows of the other outcome"
        )
    return _mean_loss(sample) / float(entr(rate) + entr(1 - rate))


def brier_score(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> float:
    """Return the mean squared distance of probability and outcome (Brier 1950), 0 to 1.

    Outcomes of one class and equal probabilities need no special treatment.

    Parameters
    ----------
    y_true, y_prob, weight
        As :func:`calibration_ratio` takes them.

    Raises
    ------
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    return mean_square(Sample.of(y_true, y_prob, weight))


def mean_square(sample: Sample) -> float:
    """Return the Brier score of a sample that is checked."""
    total = sum(
        float(part.weigh((part.probability - part.happened) ** 2).sum()) for part in parts(sample)
    )
    return total / sample.size


def _mean_loss(sample: Sample) -> float:
    total = sum(
        float(part.weigh(losses(part.happened, part.probability)).sum()) for part in parts(sample)
    )
    return total / sample.size


def losses(happened: Bools, probability: Floats) -> Floats:
    """Return -log(probability given to what happened) of each row, shape (n,)."""
    chance = np.where(happened, probability, 1 - probability)
    np.maximum(chance, LEAST_CHANCE, out=chance)
    loss: Floats = -np.log(chance, out=chance)
    return loss
