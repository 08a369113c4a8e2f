"""Logistic recalibration: by which line on the logit scale the probabilities would be right.

Intercept 0 and slope 1 are calibrated. A slope below 1 says that the probabilities are too extreme,
above 1 too timid; an intercept above 0 that they are too low.

A probability of exactly 0 or 1 has an infinite logit. Where it is right it adds nothing to the
likelihood, whatever the line (of positive slope), and is passed over; where it is wrong no line
mends it, which is an error.

References
----------
Cox, "Two further applications of a model for binary regression", Biometrika 1958.
Steyerberg, Clinical Prediction Models, 2nd edition 2019, chapter 15.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from calibration.errors import InsufficientDataError
from calibration.rows import parts
from calibration.samples import Bools, Floats, Sample

_ITERATIONS: Final = 100
_TOLERANCE: Final = 1e-7  # of a step, on the logit scale; what is left is its square
_LONGEST_STEP: Final = 5.0  # far from the likeliest line a full step can overshoot by far
_SMALLEST_STEP: Final = 1e-6


@dataclass(frozen=True)
class Recalibration:
    """A line on the logit scale: logit(rate) = intercept + slope * logit(probability).

    Attributes
    ----------
    intercept, slope : float
        0 and 1 where the probabilities are calibrated.
    intercept_error, slope_error : float
        Standard errors if rows are independent, by the Fisher information. Weights are taken as
        counts of rows, so scaling them by c divides the errors by the root of c. The error of a
        fixed slope is 0.
    """

    intercept: float
    slope: float
    intercept_error: float
    slope_error: float


def logistic_recalibration(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> Recalibration:
    """Return intercept and slope of the logistic regression of outcomes on logits (Cox 1958).

    Parameters
    ----------
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Probabilities in [0, 1]; exactly 0 or 1 as the module says.
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted. Scaling them scales the standard errors only.

    Raises
    ------
    InsufficientDataError
        If all outcomes are the same or all probabilities equal, if some probability parts the
        outcomes (no line then is the likeliest), or if a probability of 0 or 1 is wrong.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    quiet, eventful = _ranges(sample)
    if quiet[0] == quiet[1] == eventful[0] == eventful[1]:
        raise InsufficientDataError(
            f"y_prob: all that count are {quiet[0]}, so no slope shows; give others"
        )
    if quiet[1] <= eventful[0] or eventful[1] <= quiet[0]:
        raise InsufficientDataError(
            "y_prob parts events from non-events, so no line is the likeliest; give more rows"
        )
    line, information = _climb(sample, np.array([0.0, 1.0]), free=2)
    errors = np.sqrt(np.diag(np.linalg.inv(information)))
    return Recalibration(float(line[0]), float(line[1]), float(errors[0]), float(errors[1]))


def calibration_in_the_large(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> Recalibration:
    """Return the intercept with the slope held at 1: by how much the logits are off on the whole.

    Equal probabilities and a single probability that parts the outcomes do no harm here.

    Parameters
    ----------
    y_true, y_prob, weight
        As :func:`logistic_recalibration` takes them.

    Raises
    ------
    InsufficientDataError
        If all outcomes are the same, or a probability of 0 or 1 is wrong.
    InvalidSampleError
        If the lengths differ, or a value is outside its range.
    """
    sample = Sample.of(y_true, y_prob, weight)
    _ranges(sample)
    line, information = _climb(sample, np.array([0.0, 1.0]), free=1)
    return Recalibration(float(line[0]), 1.0, float(information[0, 0] ** -0.5), 0.0)


def logits(probability: Floats) -> tuple[Floats, Bools]:
    """Return the logits, 0 where they are infinite, and where they are finite."""
    finite = (probability > 0) & (probability < 1)
    inner = np.where(finite, probability, 0.5)
    return np.log(inner) - np.log1p(-inner), finite


def _ranges(sample: Sample) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the lowest and highest probability of non-events and of events."""
    extremes = np.array([[np.inf, -np.inf], [np.inf, -np.inf]])
    wrong = 0
    for part in parts(sample):
        counts = np.ones(len(part.happened), np.bool_) if part.weight is None else part.weight > 0
        finite = (part.probability > 0) & (part.probability < 1)
        wrong += int(np.count_nonzero(counts & ~finite & (part.happened != part.probability)))
        for row, rows in ((0, ~part.happened), (1, part.happened)):
            chosen = part.probability[rows & counts & finite]
            if len(chosen):
                extremes[row, 0] = min(extremes[row, 0], chosen.min())
                extremes[row, 1] = max(extremes[row, 1], chosen.max())
    if wrong:
        raise InsufficientDataError(
            f"y_prob: {wrong} of {len(sample)} are exactly 0 or 1 and wrong, which no line mends; "
            "clip y_prob first"
        )
    if not np.isfinite(extremes).all():
        raise InsufficientDataError(
            "y_true: all outcomes are the same where y_prob is neither 0 nor 1; add rows of the "
            "other outcome"
        )
    quiet, eventful = ((float(low), float(high)) for low, high in extremes)
    return quiet, eventful


def _climb(sample: Sample, line: Floats, *, free: int) -> tuple[Floats, Floats]:
    """Return the likeliest line and its information, by Newton's method with halved steps."""
    loss, gradient, information = _slopes(sample, line)
    for _ in range(_ITERATIONS):
        step = np.zeros(2)
        try:
            step[:free] = np.linalg.solve(information[:free, :free], gradient[:free])
        except np.linalg.LinAlgError:
            break
        step *= min(1.0, _LONGEST_STEP / float(np.abs(step).max() or 1.0))
        scale, before = 1.0, loss
        loss, gradient, information = _slopes(sample, line + step)
        while not loss <= before * (1 + 1e-12) and scale > _SMALLEST_STEP:
            scale /= 2
            loss, gradient, information = _slopes(sample, line + scale * step)
        line = line + scale * step
        if float(np.abs(step).max()) < _TOLERANCE * (1 + float(np.abs(line).max())):
            return line, information
    raise InsufficientDataError(
        f"y_prob nearly parts events from non-events: no likeliest line in {_ITERATIONS} steps; "
        "give more rows"
    )


def _slopes(sample: Sample, line: Floats) -> tuple[float, Floats, Floats]:
    """Return minus the log likelihood, its gradient (upwards) and the Fisher information."""
    loss, sums = 0.0, np.zeros(5)
    for part in parts(sample):
        logit, finite = logits(part.probability)
        at = line[0] + line[1] * logit
        counts = part.weigh(finite.astype(np.float64))
        rate = expit(at)
        wrong = np.where(part.happened, np.maximum(-at, 0), np.maximum(at, 0))
        loss += float((counts * (np.log1p(np.exp(-np.abs(at))) + wrong)).sum())
        off, spread = counts * (part.happened - rate), counts * (rate * (1 - rate))
        steep = spread * logit
        sums += [column.sum() for column in (off, off * logit, spread, steep, steep * logit)]
    return loss, sums[:2], np.array([[sums[2], sums[3]], [sums[3], sums[4]]])


def scores(happened: Bools, logit: Floats, at: Floats) -> Floats:
    """Return what each row adds to gradient (2) and information (00, 01, 11), shape (n, 5)."""
    rate = expit(at)
    off, spread = happened - rate, rate * (1 - rate)
    return np.column_stack((off, off * logit, spread, spread * logit, spread * logit**2))
