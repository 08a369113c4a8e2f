"""Credit for what the ads caused: an additive hazard brought to what campaigns caused in all.

``caused`` says how many conversions each campaign caused in the histories that a model is fitted
on. Each conversion is divided by the hazard; factors of the campaigns' effects see that credit
sums to what was caused.
"""

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Self

import numpy as np

from attribution.histories import Histories
from attribution.learned.caused import REPLICATES, find_caused
from attribution.learned.hazard import AdditiveHazard, HazardBasis
from attribution.learned.hazard_cells import add_up
from attribution.paths import Floats, Paths, positions
from warehouse.errors import ConfigError

_NAME: Final = "incremental"
_ROUNDS: Final = 500
_MOST_FACTOR: Final = 1e3  # a campaign's effects are multiplied by this at most
_CLOSE: Final = 1e-9  # of all that was caused


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
        found = find_caused(histories, replicates, seed)
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
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
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
    known = positions(paths.channels, hazard.channels, unknown=len(goals))
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
