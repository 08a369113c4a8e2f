"""Figures that say whether a probability means what it says."""

import numpy as np
import numpy.typing as npt


class UndefinedMetricError(ValueError):
    """A metric that has no value on the data given."""


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
    UndefinedMetricError
        If no event happened: the ratio has no denominator.
    ValueError
        If the lengths differ, or a value is outside its range.
    """
    happened, probability = np.asarray(y_true, dtype=float), np.asarray(y_prob, dtype=float)
    weights = np.ones_like(happened) if weight is None else np.asarray(weight, dtype=float)
    if not happened.shape == probability.shape == weights.shape or happened.ndim != 1:
        raise ValueError("y_true, y_prob and weight must be vectors of one length")
    if not (np.isin(happened, (0, 1)).all() and ((probability >= 0) & (probability <= 1)).all()):
        raise ValueError("y_true must be 0 or 1 and y_prob within [0, 1], without NaN")
    if not (weights >= 0).all():
        raise ValueError("weights must be at least 0, without NaN")
    observed = float(weights @ happened)
    if observed == 0:
        raise UndefinedMetricError("no event happened, so predicted over observed has no value")
    return float(weights @ probability) / observed
