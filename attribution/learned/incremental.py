"""Credit for what the ads caused: an additive hazard brought to what campaigns caused in all.

``caused`` says how many conversions each campaign caused in the histories that a model is fitted
on. Each conversion is divided by the hazard, and its credit corrected for each campaign
(``corrections``) so that it sums to what was caused.

A campaign cannot have caused more conversions than came after its touches. Where few are to be had
an estimate near all of them is most likely too high: it is taken for the mean of what its error
leaves possible (of a normal distribution between 0 and all of them). What is not earned for that is
told: ``credited`` is below ``incremental`` then.
"""

import json
from dataclasses import dataclass, replace
from typing import Any, Final, Self

import numpy as np
import polars as pl

from attribution.histories import Histories
from attribution.learned.caused import REPLICATES, find_caused
from attribution.learned.corrections import Shares
from attribution.learned.effects import EFFECTS, HazardBasis
from attribution.learned.hazard import AdditiveHazard
from attribution.paths import Floats, Paths
from warehouse.errors import ConfigError

_NAME: Final = "incremental"


@dataclass(frozen=True, eq=False)
class IncrementalModel:
    """A fitted model.

    Attributes
    ----------
    hazard : AdditiveHazard
        As it was fitted.
    corrections : ndarray of shape (channels + 1,)
        From -1 to 1. Below 0: the part of the hazard's credit of a campaign that becomes organic.
        Above 0: the part of what is organic after touches of the campaign that becomes its credit.
        The last is of unknown campaigns.
    basis : tuple of HazardBasis, of length channels
        What the effects of each campaign were told apart from organic conversions by.
    incremental, standard_error : ndarray of shape (channels,)
        Conversions that each campaign caused in those histories.
    total_error : float
        The standard error of their sum.
    credited : ndarray of shape (channels,)
        What credit sums to in the paths that it was made to meet ``incremental`` on; less where the
        correction is at its bound, or more than there is was wanted.
    """

    hazard: AdditiveHazard
    corrections: Floats
    basis: tuple[HazardBasis, ...]
    incremental: Floats
    standard_error: Floats
    total_error: float
    credited: Floats

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
        paths = histories.paths()
        shares = Shares.of(hazard.credit(paths), paths, hazard.channels)
        corrections, credited = shares.meeting(found.incremental, found.error)
        none = (HazardBasis.NONE,) * len(hazard.channels)
        return cls(
            hazard=hazard,
            corrections=corrections,
            basis=none if found.evidence is None else hazard.basis,
            incremental=found.incremental,
            standard_error=found.error,
            total_error=found.total_error,
            credited=credited,
        )

    @property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that it was fitted on."""
        return self.hazard.segments

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        return self._shares(paths).corrected(self.corrections)

    def meeting(self, paths: Paths) -> Self:
        """Return the model whose credit of some paths sums to ``incremental`` by campaign.

        Parameters
        ----------
        paths : Paths
            Those of the histories that it was fitted on, when only some of their touches may earn:
            what the others caused is earned by those.
        """
        corrections, credited = self._shares(paths).meeting(self.incremental, self.standard_error)
        return replace(self, corrections=corrections, credited=credited)

    def _shares(self, paths: Paths) -> Shares:
        return Shares.of(self.hazard.credit(paths), paths, self.hazard.channels)

    def effects(self) -> pl.DataFrame:
        """Return what the model found out of each campaign, and of all: see ``effects``."""
        whole = (None, None, None, self.incremental.sum(), self.total_error, self.credited.sum())
        columns = (
            self.hazard.channels, self.basis, self.corrections[:-1], self.incremental,
            self.standard_error, self.credited,
        )  # fmt: skip
        return pl.DataFrame([*zip(*columns, strict=True), whole], schema=EFFECTS, orient="row")

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected of each history in a span: those of the hazard."""
        return self.hazard.expected(histories, start_us, end_us)

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        told = {
            "model": _NAME,
            "basis": self.basis,
            "total_error": self.total_error,
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
            model = cls(
                hazard=hazard,
                basis=tuple(map(HazardBasis, told["basis"])),
                total_error=float(told["total_error"]),
                **arrays,
            )
            model._check()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ConfigError("model text: it is no incremental model. Fit it again.") from error
        return model

    def _check(self) -> None:
        """Raise a ValueError where the arrays do not fit the hazard."""
        channels = len(self.hazard.channels)
        if len(self.basis) != channels:
            raise ValueError("basis")
        if not 0 <= self.total_error < np.inf:
            raise ValueError("total_error")
        for name in _ARRAYS:
            values = getattr(self, name)
            size = channels + (name == "corrections")
            least, most = (-1.0, 1.0) if name == "corrections" else (0.0, np.inf)
            if values.shape != (size,) or not np.isfinite(values).all():
                raise ValueError(name)
            if (values < least).any() or (values > most).any():
                raise ValueError(name)


_ARRAYS: Final = ("corrections", "incremental", "standard_error", "credited")
