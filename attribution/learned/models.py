"""What every model that is fitted on data can do: credit paths, and be written and read."""

import hashlib
from collections.abc import Mapping
from typing import Final, Protocol, Self, runtime_checkable

import polars as pl

from attribution.histories import Histories
from attribution.learned.counterfactual import CounterfactualModel
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.incremental import IncrementalModel
from attribution.learned.markov import MarkovModel
from attribution.learned.shapley import ShapleyModel
from attribution.paths import Floats, Paths
from warehouse.attribution_config import Model
from warehouse.errors import ConfigError


class LearnedModel(Protocol):
    """A fitted model."""

    @classmethod
    def fit(cls, histories: Histories) -> Self:
        """Fit on what users saw and did, those who never converted included.

        Raises
        ------
        InsufficientDataError
            If the histories hold too little to fit on.
        """
        ...

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        ...

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        ...

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no such model.
        """
        ...


@runtime_checkable
class Forecaster(Protocol):
    """A model that also says how many conversions are to come."""

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected of each history in a span, given what was before it."""
        ...


@runtime_checkable
class MeetsTotals(Protocol):
    """A model that knows what each campaign caused in the histories that it was fitted on."""

    def meeting(self, paths: Paths) -> Self:
        """Return the model whose credit of some paths of those histories sums to it."""
        ...


@runtime_checkable
class TellsEffects(Protocol):
    """A model that tells what ads caused apart from what would have come anyway."""

    def effects(self) -> pl.DataFrame:
        """Return what the model found out of each campaign.

        Returns
        -------
        DataFrame
            campaign_id (null: all together); basis, what effects were told apart from organic
            conversions by; of a model that meets totals correction, how its credit of the campaign
            was corrected for that, incremental and standard_error, the conversions caused, and
            credited, what credit sums to. Null is what the model does not tell.
        """
        ...


LEARNED: Final[Mapping[Model, type[LearnedModel]]] = {
    Model.MARKOV: MarkovModel,
    Model.SHAPLEY: ShapleyModel,
    Model.HAZARD: AdditiveHazard,
    Model.COUNTERFACTUAL: CounterfactualModel,
    Model.INCREMENTAL: IncrementalModel,
}
"""The class of each model of the configuration that is fitted."""


def version_of(name: str, body: str) -> str:
    """Return the version of a model: a name made of its JSON, so that equal models have one."""
    return f"{name}-{hashlib.sha256(body.encode()).hexdigest()[:12]}"


def read_stored(name: Model, version: str, body: str) -> LearnedModel:
    """Read a model that was stored under a version.

    Raises
    ------
    ConfigError
        If the text is another than was stored, or of another version of adscribe.
    """
    if version_of(str(name), body) != version:
        raise ConfigError(f"credit_models: the body of {version} was changed. Fit it again.")
    return LEARNED[name].from_json(body)


def tells_segments(model: LearnedModel) -> bool:
    """Return whether the credit of a path hangs on the segment of its user."""
    return hasattr(model, "segments")
