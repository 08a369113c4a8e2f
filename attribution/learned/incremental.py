"""Credit for what the ads caused: an additive hazard brought to what the holdouts say.

Three estimates are made of the conversions that each campaign caused: two readings of the ads that
were withheld at random (``holdouts.readings``), and the credit of an additive hazard (``hazard``),
which knows of them too. The readings count the same few held-out users, so that their mean stands
for one. They need many held-out users and little form; the hazard needs few, but its form must be
right. So the hazard's part of the answer is half where it differs from the readings by no more than
sampling explains, and less as it differs by more: half of the variance of the difference over its
mean square. On simulated worlds, whose form the hazard has, the mean is nearer than the readings,
and steadier than the hazard where people who are shopping are shown most ads; where effects fade in
another way than the hazard's, the readings have nearly all the say.

Without holdouts, or with too few of them, the hazard answers alone: effects and organic conversions
are told apart by its form, which is a weaker estimate; ``basis`` says so.

The error of a figure is that of a Poisson bootstrap over users and matches, in which everything is
estimated anew, and by how much the hazard's part may be wrong beyond it.
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import polars as pl
from scipy.special import stdtrit

from attribution.bootstrap import resampled
from attribution.histories import Histories
from attribution.holdouts.evidence import Evidence, read_evidence
from attribution.holdouts.readings import (
    Readings,
    plain_lifts,
    read_holdouts,
    require_controls,
)
from attribution.learned.hazard import AdditiveHazard, HazardBasis
from attribution.learned.hazard_cells import add_up
from attribution.paths import Floats, Paths
from warehouse.errors import ConfigError, InsufficientDataError

REPLICATES: Final = 20
"""Refits of the bootstrap."""
_LEAST_REPLICATES: Final = 2
_NAME: Final = "incremental"
_ROUNDS: Final = 500
_MOST_FACTOR: Final = 1e3  # a campaign's effects are multiplied by this at most
_CLOSE: Final = 1e-9  # of all that was caused


@dataclass(frozen=True)
class _Estimates:
    """Conversions that campaigns caused, as each way of looking has it."""

    hazard: AdditiveHazard
    by_hazard: Floats
    readings: Readings | None

    def answer(self, part: float) -> Floats:
        """Return the mean, with the hazard's part in it."""
        if self.readings is None:
            return self.by_hazard
        return np.asarray((1 - part) * self.readings.mean + part * self.by_hazard)


@dataclass(frozen=True)
class _Answer:
    """Conversions that campaigns caused, their error, and what they were estimated from."""

    incremental: Floats
    error: Floats
    part: float
    estimates: _Estimates
    evidence: Evidence | None


@dataclass(frozen=True, eq=False)
class IncrementalModel:
    """A fitted model.

    Attributes
    ----------
    hazard : AdditiveHazard
        As it was fitted.
    factors : ndarray of shape (channels + 1,)
        What the effects of each campaign's touches are multiplied by, so that the credit of the
        histories that it was fitted on sums to ``incremental``; the last is of unknown campaigns.
    basis : HazardBasis
        What effects were told apart from organic conversions by.
    incremental, standard_error : ndarray of shape (channels,)
        Conversions that each campaign caused in those histories.
    """

    hazard: AdditiveHazard
    factors: Floats
    basis: HazardBasis
    incremental: Floats
    standard_error: Floats

    @classmethod
    def fit(cls, histories: Histories, *, replicates: int = REPLICATES, seed: int = 0) -> Self:
        """Fit on what users saw and did, those who never converted included.

        Parameters
        ----------
        histories : Histories
            Conversions known by a click id alone must not be among it: who saw an ad has more of
            them.
        replicates : int
            Refits for the errors, at least 2.
        seed : int
            Of their draws.

        Raises
        ------
        InsufficientDataError
            If the histories hold fewer than 10 conversions.
        """
        found = _find(histories, replicates, seed)
        hazard = found.estimates.hazard
        return cls(
            hazard=hazard,
            factors=_factors(hazard, histories.paths(), found.incremental),
            basis=HazardBasis.NONE if found.evidence is None else HazardBasis.HOLDOUT,
            incremental=found.incremental,
            standard_error=found.error,
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that it was fitted on."""
        return self.hazard.segments

    @cached_property
    def _brought(self) -> AdditiveHazard:
        """The hazard with the effects that the answer asks for."""
        return replace(self.hazard, effect=self.hazard.effect * self.factors)

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        return self._brought.credit(paths)

    def meeting(self, paths: Paths) -> Self:
        """Return the model whose credit of some paths sums to ``incremental`` by campaign.

        Parameters
        ----------
        paths : Paths
            Those of the histories that it was fitted on, when only some of their touches may earn:
            what the others caused is earned by those.
        """
        return replace(self, factors=_factors(self.hazard, paths, self.incremental))

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected of each history in a span: those of the hazard."""
        return self.hazard.expected(histories, start_us, end_us)

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        told = {
            "model": _NAME,
            "basis": self.basis,
            "channels": self.hazard.channels,
            **{name: getattr(self, name).tolist() for name in _ARRAYS},
            "hazard": json.loads(self.hazard.to_json()),
        }
        return json.dumps(told, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no such model.
        """
        try:
            told = json.loads(text)
            if told["model"] != _NAME:
                raise ValueError
            hazard = AdditiveHazard.from_json(json.dumps(told["hazard"]))
            arrays: dict[str, Any] = {name: np.array(told[name], dtype=float) for name in _ARRAYS}
            model = cls(hazard=hazard, basis=HazardBasis(told["basis"]), **arrays)
            model._check()
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError("model text: it is no incremental model. Fit it again.") from error
        return model

    def _check(self) -> None:
        """Raise a ValueError where the arrays do not fit the hazard."""
        channels = len(self.hazard.channels)
        for name in _ARRAYS:
            values = getattr(self, name)
            size = channels + (name == "factors")
            if values.shape != (size,) or not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(name)


_ARRAYS: Final = ("factors", "incremental", "standard_error")


def incremental_credit(
    histories: Histories, *, level: float = 0.9, replicates: int = REPLICATES, seed: int = 0
) -> pl.DataFrame:
    """Return the conversions that each campaign caused, and what each way of looking says.

    Parameters
    ----------
    histories : Histories
        What users saw and did. Conversions known by a click id alone must not be among it.
    level : float
        Of the intervals, which are Student's, with a degree of freedom less than there are
        replicates.
    replicates : int
        Of the bootstrap, at least 2.
    seed : int
        Of the bootstrap.

    Returns
    -------
    DataFrame
        campaign_id, incremental, standard_error, low, high; by_last_touch, by_opportunity and
        by_hazard (what it is the mean of) with hazard_part (the weight of the last, the same for
        all), lift (the plain one). Null is what cannot be told without holdouts.

    Raises
    ------
    InsufficientDataError
        If the histories hold fewer than 10 conversions.
    ConfigError
        If the level is not between 0 and 1, or there are fewer than 2 replicates.
    """
    if not 0 < level < 1:
        raise ConfigError(f"level = {level}: not between 0 and 1. Use 0.9 for 90% intervals.")
    found = _find(histories, replicates, seed)
    readings, size = found.estimates.readings, len(found.incremental)
    untold = np.full(size, np.nan)
    columns = {
        "incremental": found.incremental,
        **limits(found.incremental, found.error, level=level, replicates=replicates),
        "by_last_touch": untold if readings is None else readings.by_last_touch,
        "by_opportunity": untold if readings is None else readings.by_opportunity,
        "by_hazard": found.estimates.by_hazard,
        "hazard_part": np.full(size, found.part),
        "lift": untold if found.evidence is None else plain_lifts(found.evidence),
    }
    names = pl.Series("campaign_id", list(histories.channels), dtype=pl.String)
    return pl.DataFrame({"campaign_id": names, **columns}).with_columns(
        pl.col(pl.Float64).fill_nan(None)
    )


def limits(
    estimate: Floats, error: Floats, *, level: float = 0.9, replicates: int = REPLICATES
) -> dict[str, Floats]:
    """Return standard_error, low and high of estimates, each of shape (channels,)."""
    reach = float(stdtrit(replicates - 1, 0.5 + level / 2)) * error
    return {
        "standard_error": error,
        "low": np.maximum(estimate - reach, 0.0),
        "high": np.asarray(estimate + reach),
    }


def _find(histories: Histories, replicates: int, seed: int) -> _Answer:
    """Return what campaigns caused, with its error by a bootstrap."""
    if replicates < _LEAST_REPLICATES:
        raise ConfigError(f"replicates = {replicates}: an error needs 2 at least. Use 20.")
    evidence = _evidence(histories)
    found = _estimate(histories, evidence)
    owner, again = histories.conversion_history, []
    for number in range(replicates):
        drawn = resampled(histories, replicate=number, seed=seed)
        again.append(_estimate(drawn, evidence, drawn.weights[owner] * drawn.probability))
    part, doubt = _part_of_hazard(found, again)
    incremental = found.answer(part)
    sampling = np.column_stack([one.answer(part) for one in again]).var(axis=1, ddof=1)
    error = np.asarray(np.sqrt(sampling + doubt * incremental**2))
    return _Answer(incremental, error, part, found, evidence)


def _part_of_hazard(found: _Estimates, again: list[_Estimates]) -> tuple[float, float]:
    """Return the hazard's part of the answer, and the relative variance that it may bring in."""
    if found.readings is None:
        return 1.0, 0.0
    size = float((found.readings.mean**2).sum())
    steps = np.column_stack([_step(one) for one in again])
    sampling = float(steps.var(axis=1, ddof=1).sum())
    beyond = max(float((_step(found) ** 2).sum()) - sampling, 0.0)
    part = 0.5 * sampling / (sampling + beyond) if sampling + beyond > 0 else 0.5
    return part, part**2 * beyond / size if size > 0 else 0.0


def _step(found: _Estimates) -> Floats:
    """Return by how much the hazard is above the readings."""
    readings = found.by_hazard if found.readings is None else found.readings.mean
    return np.asarray(found.by_hazard - readings)


def _evidence(histories: Histories) -> Evidence | None:
    """Return what the holdouts say; None where they are none or too few."""
    if histories.touches.shown.all():
        return None
    evidence = read_evidence(histories)
    try:
        require_controls(evidence)
    except InsufficientDataError:
        return None
    return evidence


def _estimate(
    histories: Histories, evidence: Evidence | None, worth: Floats | None = None
) -> _Estimates:
    hazard = AdditiveHazard.fit(histories)
    by_hazard = _sums(hazard, histories.paths())
    readings = None if evidence is None else read_holdouts(evidence, worth)
    return _Estimates(hazard, by_hazard, readings)


def _sums(hazard: AdditiveHazard, paths: Paths) -> Floats:
    """Return the conversions that each channel is credited with."""
    each = (paths.conversions * paths.weights)[paths.of_touch]
    earned: Floats = add_up(
        paths.touches.channel, hazard.credit(paths) * each, size=len(paths.channels)
    )
    return earned


def _factors(hazard: AdditiveHazard, paths: Paths, goals: Floats) -> Floats:
    """Return factors of effects with which the credit of paths sums to the goals.

    Parameters
    ----------
    hazard : AdditiveHazard
        Whose effects are multiplied.
    paths : Paths
        Of its channels or some of them, in any order.
    goals : ndarray of shape (channels,)
        Conversions. What no factor reaches, such as more than all that came after a campaign's
        touches, is met as nearly as the greatest allows.
    """
    place = {name: number for number, name in enumerate(hazard.channels)}
    known = np.array([place.get(name, len(goals)) for name in paths.channels], dtype=np.int64)
    effect, organic = hazard.intensities(paths)
    path, each, earning = paths.of_touch, paths.conversions * paths.weights, effect > 0
    path, effect = path[earning], hazard.carry * effect[earning]
    channel = known[paths.touches.channel[earning]]
    factors: Floats = np.ones(len(goals) + 1)
    wanted = np.append(goals, 0.0)
    first = wanted
    for number in range(_ROUNDS):
        parts = effect * factors[channel]
        total = organic + add_up(path, parts, size=len(paths))
        rate = np.divide(each, total, out=np.zeros_like(total), where=total > 0)
        earned = add_up(channel, parts * rate[path], size=len(factors))
        first = earned if number == 0 else first
        if np.abs(earned - wanted)[:-1].sum() <= _CLOSE * goals.sum():
            break
        # shares bend down as effects grow, so that a step never goes too far
        step = np.divide(wanted, earned, out=np.ones_like(wanted), where=earned > 0)
        factors = np.clip(factors * step, 1 / _MOST_FACTOR, _MOST_FACTOR)
        factors[-1] = 1.0
    whole = first[:-1].sum()
    factors[-1] = np.clip(goals.sum() / whole, 1 / _MOST_FACTOR, _MOST_FACTOR) if whole else 1.0
    return factors
