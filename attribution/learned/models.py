"""What every model that is fitted on data can do: credit paths, and be written and read."""

from collections.abc import Mapping
from typing import Final, Protocol, Self, runtime_checkable

from attribution.histories import Histories
from attribution.learned.counterfactual import CounterfactualModel
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.incremental import IncrementalModel
from attribution.learned.markov import MarkovModel
from attribution.learned.shapley import ShapleyModel
from attribution.paths import Floats, Paths
from warehouse.attribution_config import Model


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


LEARNED: Final[Mapping[Model, type[LearnedModel]]] = {
    Model.MARKOV: MarkovModel,
    Model.SHAPLEY: ShapleyModel,
    Model.HAZARD: AdditiveHazard,
    Model.COUNTERFACTUAL: CounterfactualModel,
    Model.INCREMENTAL: IncrementalModel,
}
"""The class of each model of the configuration that is fitted."""


def tells_segments(model: LearnedModel) -> bool:
    """Return whether the credit of a path hangs on the segment of its user."""
    return hasattr(model, "segments")
