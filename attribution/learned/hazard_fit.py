"""Rates of an additive hazard by maximum likelihood, with priors for thin campaigns.

All parts of a sum of Poisson rates can be told apart by expectation and maximisation as in the
branching of a Hawkes process (Veen and Schoenberg 2008, Journal of the American Statistical
Association 103). Each maximisation is closed: a curve that does not rise is an isotonic regression.
Steps are lengthened by squared extrapolation (Varadhan and Roland 2008, Scandinavian Journal of
Statistics 35), which is taken back where the likelihood would fall.
"""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from attribution.learned.hazard_cells import AGES, RESPONSES, add_up
from attribution.learned.hazard_rates import (
    FLOOR,
    Evidence,
    Rates,
    intensities,
    log_likelihood,
    opportunity_rates,
)
from attribution.paths import KINDS, Codes, Floats

_CYCLES: Final = 300
_GAIN: Final = 1e-3  # of the logarithm of the likelihood in a cycle: below it the fit has ended
_EFFECT_PRIOR: Final = 4.0  # a factor of 1 is believed like so many conversions
_ORGANIC_PRIOR: Final = 0.1  # levels differ more than tenfold: their prior is vague
_RESPONSE_PRIOR: Final = 20.0  # who clicks ads would seldom buy otherwise: few conversions tell
_BINS: Final = len(AGES)
_BURST_BINS: Final = sum(age <= 1.0 for age in AGES)  # a visit lasts up to an hour
_BURST_KINDS: Final = [KINDS.index("click"), KINDS.index("engaged_view")]
_RESPONDED: Final = len(RESPONSES) - 1


@dataclass(frozen=True)
class Fit:
    """Fitted rates.

    Attributes
    ----------
    rates : Rates
        The parameters.
    objectives : tuple of float
        Logarithm of the likelihood and priors, before each cycle; it never falls.
    """

    rates: Rates
    objectives: tuple[float, ...]


def fit_rates(evidence: Evidence, *, cycles: int = _CYCLES) -> Fit:
    """Return the rates at which likelihood and priors are greatest."""
    rates, objectives = _start(evidence), []
    for _ in range(cycles):
        first, objective = _improve(rates, evidence)
        objectives.append(objective)
        if len(objectives) > 1 and objective - objectives[-2] < _GAIN:
            break
        second, reached = _improve(first, evidence)
        further, jumped = _improve(_extrapolate(rates, first, second), evidence)
        rates = further if jumped >= reached else second
    return Fit(rates, tuple(objectives))


def log_prior(rates: Rates) -> float:
    """Return the logarithm of the priors' density, up to a constant: gamma with mean 1."""
    believed = (
        (_ORGANIC_PRIOR, (rates.organic_advertiser, rates.organic)),
        (_RESPONSE_PRIOR, (rates.response,)),
        (_EFFECT_PRIOR, (rates.effect_advertiser, rates.effect)),
    )
    return sum(
        prior * float(np.sum(np.log(part) - part)) for prior, parts in believed for part in parts
    )


def _start(evidence: Evidence) -> Rates:
    """Return rates to begin with: a third of the conversions for each part, all curves flat."""
    third = evidence.weights.sum() / 3
    hours = evidence.hours.sum() * evidence.watched.sum()
    groups, campaigns = len(evidence.watched), len(evidence.advertiser_of)
    advertisers = int(evidence.advertiser_of.max(initial=-1)) + 1
    level = third / max(evidence.risk.sum(), 1.0)
    burst = np.zeros((len(KINDS), _BINS))
    burst[_BURST_KINDS, :_BURST_BINS] = level
    return Rates(
        baseline=np.full(groups, third / hours),
        hours=np.ones(24),
        organic_advertiser=np.ones(advertisers),
        organic=np.ones(campaigns),
        response=np.ones(_RESPONDED),
        organic_curve=np.full(_BINS, level),
        effect_advertiser=np.ones(advertisers),
        effect=np.ones(campaigns),
        strength=np.ones(len(KINDS)),
        effect_curve=np.full(_BINS, level),
        burst=burst,
    )


def _improve(rates: Rates, evidence: Evidence) -> tuple[Rates, float]:
    """Return better rates, and the objective of the given ones."""
    cells = rates.cells(evidence)
    base, total = intensities(rates, evidence)
    each = evidence.weights / np.maximum(total, FLOOR)
    parts = cells * (evidence.touched.T @ each)
    border = len(evidence.shares) * len(RESPONSES) * _BINS
    baseline, hours = _baseline(base * each, rates, evidence)
    better = Rates(
        baseline=baseline,
        hours=hours,
        **_organic(parts[:border], rates, evidence),
        **_effects(parts[border:], rates, evidence),
    )
    return better, log_likelihood(rates, evidence, total) + log_prior(rates)


def _baseline(parts: Floats, rates: Rates, evidence: Evidence) -> tuple[Floats, Floats]:
    by_hour = add_up(evidence.hour, parts, size=24)
    by_group = add_up(evidence.group, parts, size=len(rates.baseline))
    hours = _ratio(by_hour, evidence.hours)
    mean = evidence.hours @ hours / evidence.hours.sum()
    hours = hours / mean if mean > 0 else np.ones(24)
    return _ratio(by_group, evidence.watched * (evidence.hours @ hours)), hours


def _organic(parts: Floats, rates: Rates, evidence: Evidence) -> dict[str, Floats]:
    """Return better factors of opportunities, from the conversions that are theirs."""
    shape = (len(evidence.shares), len(RESPONSES), _BINS)
    found, hours = parts.reshape(shape), evidence.risk[: parts.size].reshape(shape)
    met = opportunity_rates(
        rates.levels(evidence.advertiser_of), rates.response, rates.organic_curve
    )
    withheld = evidence.shares[:, :, None] * met
    of_withheld = _ratio(withheld, withheld.sum(axis=1, keepdims=True))
    found = found[:, :-1] + of_withheld * found[:, -1:]
    hours = hours[:, :-1] + evidence.shares[:, :, None] * hours[:, -1:]
    curve, response = rates.organic_curve, rates.response
    owners, campaigns = _factors(
        found.sum(axis=(1, 2)),
        np.einsum("cmb,m,b->c", hours, response, curve),
        rates.organic_advertiser,
        rates.organic,
        evidence.advertiser_of,
        _ORGANIC_PRIOR,
    )
    level = owners[evidence.advertiser_of] * campaigns
    at_risk = np.einsum("cmb,c->mb", hours, level)
    of_response = found.sum(axis=(0, 2)) + _RESPONSE_PRIOR
    response = np.asarray(of_response / (at_risk @ curve + _RESPONSE_PRIOR))
    curve = _falling(found.sum(axis=(0, 1)), response @ at_risk)
    return {
        "organic_advertiser": owners,
        "organic": campaigns,
        "response": response,
        "organic_curve": curve,
    }


def _effects(parts: Floats, rates: Rates, evidence: Evidence) -> dict[str, Floats]:
    """Return better factors of touches shown, from the conversions that are theirs."""
    shape = (len(KINDS), len(evidence.shares), _BINS)
    found, hours = (
        parts.reshape(shape),
        evidence.risk[evidence.risk.size - parts.size :].reshape(shape),
    )
    kernels = rates.kernels()
    owners, campaigns = _factors(
        found.sum(axis=(0, 2)),
        np.einsum("kcb,kb->c", hours, kernels),
        rates.effect_advertiser,
        rates.effect,
        evidence.advertiser_of,
        _EFFECT_PRIOR,
    )
    at_risk = np.einsum("kcb,c->kb", hours, owners[evidence.advertiser_of] * campaigns)
    by_age = found.sum(axis=1)
    lasting = by_age * _ratio(rates.strength[:, None] * rates.effect_curve, kernels)
    strength = _ratio(lasting.sum(axis=1), at_risk @ rates.effect_curve)
    burst = np.zeros(kernels.shape)
    for kind in _BURST_KINDS:
        soon = slice(0, _BURST_BINS)
        burst[kind, soon] = _falling((by_age - lasting)[kind, soon], at_risk[kind, soon])
    return {
        "effect_advertiser": owners,
        "effect": campaigns,
        "strength": strength,
        "effect_curve": _falling(lasting.sum(axis=0), strength @ at_risk),
        "burst": burst,
    }


def _factors(
    found: Floats, ordinary: Floats, owners: Floats, factors: Floats, owner: Codes, prior: float
) -> tuple[Floats, Floats]:
    """Return better factors of advertisers and of their campaigns.

    Parameters
    ----------
    found, ordinary : ndarray of shape (campaigns,)
        Conversions of each, and those expected at a factor of 1.
    owners, factors : ndarray of shape (advertisers,) and (campaigns,)
        The factors so far.
    owner : ndarray of int32, shape (campaigns,)
        Number of the advertiser.
    prior : float
        A factor of 1 is believed like so many conversions.
    """
    count = len(owners)
    theirs: Floats = (add_up(owner, found, size=count) + prior) / (
        add_up(owner, ordinary * factors, size=count) + prior
    )
    return theirs, np.asarray((found + prior) / (ordinary * theirs[owner] + prior))


def _falling(found: Floats, hours: Floats) -> Floats:
    """Return the rates of greatest likelihood that do not rise with age."""
    from scipy.optimize import isotonic_regression  # slow to import, and few commands need it

    at_risk = np.maximum(hours, FLOOR)
    rates = isotonic_regression(found / at_risk, weights=at_risk, increasing=False).x
    return np.asarray(rates, dtype=np.float64)


def _extrapolate(start: Rates, first: Rates, second: Rates) -> Rates:
    """Return rates further along the way of two steps, by the logarithms."""
    logs = [_logarithms(rates) for rates in (start, first, second)]
    step, bend = logs[1] - logs[0], logs[2] - 2 * logs[1] + logs[0]
    length = np.sqrt(step @ step) / max(np.sqrt(bend @ bend), FLOOR)
    length = max(length, 1.0)
    moved = np.exp(np.clip(logs[0] + 2 * length * step + length**2 * bend, -60.0, 60.0))
    parts, begin = {}, 0
    for field in fields(Rates):
        like: Floats = getattr(start, field.name)
        part = moved[begin : begin + like.size].reshape(like.shape)
        if field.name.endswith("curve") or field.name == "burst":
            part = np.minimum.accumulate(part, axis=-1)
        parts[field.name] = part
        begin += like.size
    return Rates(**parts)


def _logarithms(rates: Rates) -> Floats:
    parts = [getattr(rates, field.name).ravel() for field in fields(Rates)]
    return np.asarray(np.log(np.maximum(np.concatenate(parts), 1e-26)))


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.divide(part, whole, out=np.zeros(shape), where=np.broadcast_to(whole > 0, shape))
