"""Incremental conversions of each campaign: the default answer to what the ads caused.

Two estimates are read from the holdouts in different ways, and their mean is taken:

- by last touch (``touch_mixture``): conversions by their last touch's kind and age, and those of
  held-out users by what it would have been. It knows clicks, and assumes that who buys anyway
  clicks no more than others.
- by opportunity (``opportunity_mixture``): conversions by the age of each campaign's latest ad,
  shown or withheld. It does not look at who clicked, and so assumes nothing of it.

Where one errs the other errs less, or the other way: on simulated worlds the mean is nearer than
either. Both come from the same held-out users as the plain lifts do, so that an excess of the lift
over the mean is mostly noise that the mean has its part of already. To shrink the mean towards the
lifts once more would count the held-out users twice; on simulated worlds it made every figure
worse. Models that do not know of holdouts are another matter: the lifts decide how much of such a
model is mixed in.

The error of a figure is that of a Poisson bootstrap over users, and half of what the two estimates
differ by beyond it, for what the assumptions may cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from scipy.optimize import nnls
from scipy.special import ndtri

from attribution.bootstrap import bootstrap_weights
from attribution.histories import Histories
from attribution.holdouts.evidence import Evidence, read_evidence
from attribution.holdouts.opportunity_mixture import caused_conversions
from attribution.holdouts.touch_mixture import holdout_rates
from attribution.paths import Floats
from warehouse.errors import ConfigError, InsufficientDataError

LEAST_CONTROLS: Final = 30
"""Fewer conversions after a withheld ad tell nothing apart."""
REPLICATES: Final = 40
_TRUST: Final = 0.1  # prior standard deviation of a model's share of the answer


@dataclass(frozen=True)
class _Estimates:
    """Incremental conversions by campaign, each of shape (campaigns,)."""

    by_last_touch: Floats
    by_opportunity: Floats

    @property
    def mean(self) -> Floats:
        return np.asarray((self.by_last_touch + self.by_opportunity) / 2)


def incremental_credit(
    histories: Histories,
    *,
    models: Mapping[str, Floats] | None = None,
    level: float = 0.9,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> pl.DataFrame:
    """Return the conversions that each campaign caused.

    Parameters
    ----------
    histories : Histories
        What users saw and did. Conversions known by a click id alone must not be among it.
    models : mapping of str to ndarray, each of shape (channels,)
        Credit by campaign of models fitted without regard to holdouts, such as a hazard model's.
    level : float
        Of the intervals.
    replicates : int
        Of the bootstrap; 0 leaves out errors and intervals.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        campaign_id, incremental, standard_error, low, high, by_last_touch, by_opportunity (the two
        estimates), lift (the plain one, for comparison; null where nobody is held out).

    Raises
    ------
    InsufficientDataError
        If fewer than 30 conversions came after a withheld ad.
    ConfigError
        If a model's credit is not one figure of each campaign, or the level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: not between 0 and 1. Use 0.9 for 90% intervals.")
    evidence = read_evidence(histories)
    controls = float(evidence.opportunities().control.sum())
    if controls < LEAST_CONTROLS:
        raise InsufficientDataError(
            f"incremental credit: {controls:.0f} conversions after a withheld ad, "
            f"{LEAST_CONTROLS} are needed. Withhold ads from more users or take more days."
        )
    own = _estimate(evidence, None)
    lift, noise = _plain_lift(evidence)
    mixed = _mixed(own.mean, lift, noise, _checked(models or {}, histories))
    columns = {"incremental": mixed}
    if replicates:
        # a model's credit is known without its error: its part is taken to be as unsure as ours
        error = _errors(evidence, histories, own, replicates, seed)
        reach = float(ndtri(0.5 + level / 2)) * error
        columns |= {
            "standard_error": error,
            "low": np.maximum(mixed - reach, 0.0),
            "high": mixed + reach,
        }
    columns |= {"by_last_touch": own.by_last_touch, "by_opportunity": own.by_opportunity}
    columns["lift"] = lift
    names = pl.DataFrame(
        {"campaign_id": list(histories.channels)}, schema={"campaign_id": pl.String}
    )
    return names.with_columns(
        **{name: pl.Series(values) for name, values in columns.items()}
    ).with_columns(pl.col("lift").fill_nan(None))


def _estimate(evidence: Evidence, drawn: Floats | None) -> _Estimates:
    """Return both estimates, of conversions counted as often as they were drawn."""
    counts = evidence.last_touches(drawn)
    earned = (counts.touched * holdout_rates(counts)).sum(axis=(1, 2, 3))
    return _Estimates(earned, caused_conversions(evidence.opportunities(drawn)))


def _plain_lift(evidence: Evidence) -> tuple[Floats, Floats]:
    """Return the lift of each campaign and its variance, were its baseline as it is on average."""
    counts = evidence.opportunities()
    treated, control = counts.treated.sum(axis=1), counts.control.sum(axis=1)
    held = np.isfinite(counts.odds)
    baseline = np.where(held, counts.odds, 0.0) * control
    common = min(baseline.sum() / max(treated[held].sum(), 1.0), 1.0)
    noise = treated * (1 + common * np.where(held, counts.odds, np.inf))
    return np.where(held, treated - baseline, np.nan), noise


def _checked(models: Mapping[str, Floats], histories: Histories) -> list[Floats]:
    size = len(histories.channels)
    for name, credit in models.items():
        if credit.shape != (size,) or not np.isfinite(credit).all() or (credit < 0).any():
            raise ConfigError(
                f"model {name}: its credit is not one figure, at least 0, of each of {size} "
                "campaigns. Give one in the order of the channels."
            )
    return [models[name] for name in sorted(models) if models[name].sum() > 0]


def _mixed(own: Floats, lift: Floats, noise: Floats, models: list[Floats]) -> Floats:
    """Return the own answer with as much of each model as the lifts speak for; the total is kept.

    Least squares of the lifts by their precision, with shares that are not negative and drawn
    towards all of the own answer and nothing of the models.
    """
    seen = np.isfinite(noise) & (noise > 0)
    total = own.sum()
    if not models or not seen.any() or total <= 0:
        return own
    offered = np.column_stack([own, *(credit * (total / credit.sum()) for credit in models)])
    weight = 1 / np.sqrt(noise[seen])
    prior = np.eye(offered.shape[1]) / _TRUST
    left = np.vstack([offered[seen] * weight[:, None], prior])
    shares = nnls(left, np.concatenate([lift[seen] * weight, prior[0]]))[0]
    answer = offered @ shares
    return np.asarray(answer * (total / answer.sum()))


def _errors(
    evidence: Evidence, histories: Histories, own: _Estimates, replicates: int, seed: int
) -> Floats:
    """Return the standard error of each campaign's incremental conversions."""
    means = np.empty((len(own.mean), replicates))
    steps = np.empty_like(means)
    weights = bootstrap_weights(histories.user[evidence.histories], replicates, seed)
    for number in range(replicates):
        again = _estimate(evidence, weights[:, number].astype(np.float64))
        means[:, number] = again.mean
        steps[:, number] = again.by_last_touch - again.by_opportunity
    sampling = means.var(axis=1)
    differ = (own.by_last_touch - own.by_opportunity) ** 2 - steps.var(axis=1)
    size = float((own.mean**2).sum())
    doubt = max(float(differ.sum()), 0.0) / (4 * size) if size else 0.0
    return np.asarray(np.sqrt(sampling + doubt * own.mean**2))
