"""Noisy figures of many groups, each drawn towards its likes by how noisy it is.

Figures y are normal about what is true, with known variances; the true figures are a common level,
effects of traits that groups share, and something of their own::

    y_c = theta_c + noise,  theta_c = level + sum of effects of its traits + e_c

The spread of effects and of e_c is not known. It is integrated out over a grid instead of being set
to one value, which would call errors too small when groups are few (Morris 1983, "Parametric
empirical Bayes inference"; Rubin 1981). Its prior is half-Cauchy, as Gelman (2006, "Prior
distributions for variance parameters in hierarchical models") advises.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from attribution.paths import Floats, Integers

_SPREADS: Final = 40
_LEAST: Final = 1e-30  # variance below which a figure is exact: no division by 0


@dataclass(frozen=True)
class Shrunk:
    """True figures as they are believed after shrinking.

    Attributes
    ----------
    mean, error : ndarray of float64, shape (k,)
        Mean and standard deviation of each group's true figure.
    spread : float
        Expected standard deviation of true figures about the common level.
    level : float
        Expected common level.
    """

    mean: Floats
    error: Floats
    spread: float
    level: float


@dataclass(frozen=True)
class _Fit:
    """What follows from one spread."""

    evidence: float  # logarithm of the marginal likelihood
    mean: Floats
    variance: Floats
    level: float


def shrink(
    observed: Floats,
    variance: Floats,
    *,
    traits: Sequence[Integers] = (),
    scatter: Floats | None = None,
    typical: float = 0.5,
) -> Shrunk:
    """Return true figures, each between what was observed of it and what its likes have.

    Parameters
    ----------
    observed : ndarray of shape (k,)
        A figure of each group; any number where the variance is infinite.
    variance : ndarray of shape (k,)
        Of its noise, at least 0; infinite for a group of which nothing was observed. One at least
        must be finite.
    traits : sequence of ndarrays of int64, each of shape (k,)
        The number of each group's value of each trait.
    scatter : ndarray of shape (k,), optional
        Variance of e_c that is known already and comes on top of the spread.
    typical : float
        Half of the prior of the spread lies below this, in the figure's unit.

    References
    ----------
    Morris, C. N. 1983. "Parametric empirical Bayes inference: theory and applications."
    """
    known = np.zeros(len(observed)) if scatter is None else scatter
    quantiles = (np.arange(_SPREADS) + 0.5) / _SPREADS
    spreads = typical * np.tan(np.pi / 2 * quantiles)
    splits = _splits(len(traits))
    design = np.column_stack([np.ones(len(observed)), *(_indicators(trait) for trait in traits)])
    block = np.repeat(np.arange(len(traits) + 1), [1, *(len(np.unique(trait)) for trait in traits)])
    fits = [
        _fit(observed, variance, design, block, spread**2 * split, known)
        for spread, split in product(spreads, splits)
    ]
    evidence = np.array([fit.evidence for fit in fits])
    belief = np.exp(evidence - evidence.max())
    belief /= belief.sum()
    means = np.array([fit.mean for fit in fits])
    mean = belief @ means
    within = belief @ np.array([fit.variance for fit in fits])
    between = belief @ (means - mean) ** 2
    return Shrunk(
        mean=mean,
        error=np.sqrt(within + between),
        spread=float(belief @ np.repeat(spreads, len(splits))),
        level=float(belief @ np.array([fit.level for fit in fits])),
    )


def _fit(
    observed: Floats,
    variance: Floats,
    design: Floats,
    block: Integers,
    parts: Floats,
    scatter: Floats,
) -> _Fit:
    """Return the true figures for one variance of own deviations and of each trait's effects.

    The level has a flat prior: the likelihood is the restricted one. An effect is its standard
    deviation times a standard normal, so that a variance of 0 needs no care.
    """
    seen = np.isfinite(variance)
    own = parts[0] + scatter
    noise = np.where(seen, variance, 0.0)
    total = np.maximum(noise + own, _LEAST)
    loads = design * np.sqrt(np.concatenate([[1.0], parts[1:]]))[block]
    weight = np.where(seen, 1 / total, 0.0)
    prior = np.diag((block > 0).astype(np.float64))
    precision = prior + (loads * weight[:, None]).T @ loads
    pull = loads.T @ (weight * np.where(seen, observed, 0.0))
    covariance = np.linalg.inv(precision)
    effects = covariance @ pull
    ordinary = loads @ effects
    residual = np.where(seen, observed - ordinary, 0.0)
    kept = np.where(seen, own / total, 0.0)
    doubt = ((loads @ covariance) * loads).sum(axis=1)
    penalty = float((effects[1:] ** 2).sum())
    return _Fit(
        evidence=float(
            -0.5 * np.log(total[seen]).sum()
            - 0.5 * np.linalg.slogdet(precision)[1]
            - 0.5 * ((weight * residual**2).sum() + penalty)
        ),
        mean=ordinary + kept * residual,
        variance=own * (1 - kept) + (1 - kept) ** 2 * doubt,
        level=float(effects[0]),
    )


def _splits(traits: int) -> Floats:
    """Return ways in which the variance may be divided: own deviations first, then each trait."""
    ways = product((0.0, 1.0, 2.0), repeat=traits)
    divided = np.array([[1.0, *parts] for parts in ways])
    shares: Floats = divided / divided.sum(axis=1, keepdims=True)
    return shares


def _indicators(trait: Integers) -> Floats:
    """Return a column of 0 and 1 for each value of a trait."""
    return np.asarray(trait[:, None] == np.unique(trait)[None, :], dtype=np.float64)
