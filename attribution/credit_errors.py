"""How far credit by campaign lies from another account of it: a truth, a lift, another model.

All figures take credit by campaign in the same order. Where only the division among campaigns is to
be judged, shares are compared: a model that credits twice of all has no share error.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_LEAST_RANKED = 2


def total_error(credit: Floats, true: Floats) -> float:
    """Return all credit over the true amount, less 1: 0.2 is a fifth too much.

    Parameters
    ----------
    credit, true : ndarray of shape (campaigns,)
        Conversions.

    Returns
    -------
    float
        Not a number where nothing is true.
    """
    return _over(float(credit.sum()), float(true.sum())) - 1


def weighted_error(credit: Floats, true: Floats) -> float:
    """Return the absolute errors of all campaigns over the true amount of all.

    Parameters
    ----------
    credit, true : ndarray of shape (campaigns,)
        Conversions.

    Returns
    -------
    float
        At least the size of :func:`total_error`; not a number where nothing is true.
    """
    return _over(float(np.abs(credit - true).sum()), float(true.sum()))


def share_error(credit: Floats, true: Floats) -> float:
    """Return the total variation between shares: what part of all credit is with the wrong ones.

    Parameters
    ----------
    credit, true : ndarray of shape (campaigns,)
        Conversions, or any multiple of them.

    Returns
    -------
    float
        From 0 to 1 where no campaign has less than nothing; not a number where either sums to
        nothing.
    """
    return float(np.abs(shares(credit) - shares(true)).sum()) / 2


def rank_correlation(credit: Floats, true: Floats) -> float:
    """Return Spearman's rank correlation: 1 where campaigns stand in the same order.

    Parameters
    ----------
    credit, true : ndarray of shape (campaigns,)
        Conversions; equal ones share the mean of their ranks.

    Returns
    -------
    float
        Not a number for fewer than two campaigns, or where all have the same in either.
    """
    from scipy.stats import rankdata  # slow to import, and few commands need it

    if len(credit) < _LEAST_RANKED:
        return float("nan")
    ranks = np.stack([rankdata(credit), rankdata(true)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    lengths = np.sqrt((ranks**2).sum(axis=1))
    return _over(float(ranks[0] @ ranks[1]), float(lengths.prod()))


def shares(credit: Floats) -> Floats:
    """Return each campaign's part of all; not a number where they sum to 0 or less.

    Parameters
    ----------
    credit : ndarray of shape (campaigns,)
        Conversions.
    """
    total = float(credit.sum())
    return np.asarray(credit / total if total > 0 else np.full(len(credit), np.nan))


def _over(part: float, whole: float) -> float:
    return part / whole if whole > 0 else float("nan")
