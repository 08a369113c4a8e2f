"""Credit for what the ads caused: an additive hazard brought to what campaigns caused in all.

``caused`` says how many conversions each campaign caused in the histories that a model is fitted
on. Each conversion is divided by the hazard, and corrected for each campaign in one of two ways so
that credit sums to what was caused: where the hazard gives it too much, the same part of all its
credit becomes organic; where it gives it too little, the same part of what it holds organic in
conversions after the campaign's touches becomes credit. So no campaign takes the whole of its
conversions because the sum for it is high.

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
from scipy.special import ndtr

from attribution.histories import Histories
from attribution.learned.caused import REPLICATES, find_caused
from attribution.learned.hazard import EFFECTS, AdditiveHazard, HazardBasis
from attribution.learned.hazard_cells import add_up
from attribution.paths import Codes, Floats, Integers, Paths, positions
from warehouse.errors import ConfigError

_NAME: Final = "incremental"
_LEAST_CHANCE: Final = 1e-12  # with a lesser one to be within its bounds an estimate is at one


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
        factor is at its bound.
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
        corrections, credited = _corrections(
            hazard, histories.paths(), found.incremental, found.error
        )
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
        share = _Shares.of(self.hazard, paths)
        part = self.corrections[share.channel]
        kept = share.hazard * (1 + np.minimum(part, 0.0))
        rest = np.maximum(1 - add_up(paths.of_touch, kept, size=len(paths)), 0.0)
        return np.asarray(kept + share.of_rest(paths, part) * rest[paths.of_touch])

    def meeting(self, paths: Paths) -> Self:
        """Return the model whose credit of some paths sums to ``incremental`` by campaign.

        Parameters
        ----------
        paths : Paths
            Those of the histories that it was fitted on, when only some of their touches may earn:
            what the others caused is earned by those.
        """
        corrections, credited = _corrections(
            self.hazard, paths, self.incremental, self.standard_error
        )
        return replace(self, corrections=corrections, credited=credited)

    def effects(self) -> pl.DataFrame:
        """Return what the model found out of each campaign, and of all: see ``models``."""
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


@dataclass(frozen=True)
class _Shares:
    """What a hazard says of the touches of paths.

    Attributes
    ----------
    channel : ndarray of shape (touches,)
        The channel of the model; its number of channels for unknown ones.
    hazard : ndarray of shape (touches,)
        The share of the conversion that the hazard gives; 0 where a touch may earn nothing.
    """

    channel: Codes
    hazard: Floats

    @classmethod
    def of(cls, hazard: AdditiveHazard, paths: Paths) -> Self:
        known = positions(paths.channels, hazard.channels, unknown=len(hazard.channels))
        return cls(known[paths.touches.channel], hazard.credit(paths))

    def of_rest(self, paths: Paths, part: Floats) -> Floats:
        """Return the share of each touch in what is organic.

        Of campaigns with a part above 0 in a path each has as much of it, times the part; of the
        touches of a campaign each by what the hazard gives it.
        """
        earning = np.flatnonzero((self.hazard > 0) & (part > 0))
        pair, path = self._pairs(paths, earning)
        alike = np.bincount(path, minlength=len(paths))  # campaigns of the path
        whole = add_up(pair, self.hazard[earning], size=len(path))
        share = np.zeros(len(self.hazard))
        share[earning] = part[earning] * self.hazard[earning] / whole[pair] / alike[path[pair]]
        return share

    def after(self, paths: Paths, size: int) -> Floats:
        """Return the conversions after touches that may earn, by channel."""
        earning = np.flatnonzero(self.hazard > 0)
        pair, path = self._pairs(paths, earning)
        channel = np.zeros(len(path), dtype=self.channel.dtype)
        channel[pair] = self.channel[earning]
        return add_up(channel, (paths.conversions * paths.weights)[path], size=size)

    def _pairs(self, paths: Paths, rows: Integers) -> tuple[Integers, Integers]:
        """Return which path and channel each of some touches is of, and the path of each pair."""
        size = int(self.channel.max(initial=0)) + 1
        code = paths.of_touch[rows].astype(np.int64) * size + self.channel[rows]
        found, pair = np.unique(code, return_inverse=True)
        return pair, found // size


def _corrections(
    hazard: AdditiveHazard, paths: Paths, goals: Floats, errors: Floats
) -> tuple[Floats, Floats]:
    """Return corrections with which the credit of paths sums to goals, and what it sums to.

    Parameters
    ----------
    hazard : AdditiveHazard
        Whose credit is corrected.
    paths : Paths
        Of its channels or some of them, in any order.
    goals, errors : ndarray of shape (channels,)
        Conversions, and their standard errors.

    Returns
    -------
    corrections : ndarray of shape (channels + 1,)
        From -1 to 1; of unknown channels that of all together.
    earned : ndarray of shape (channels,)
        What credit sums to.
    """
    size = len(goals) + 1
    share = _Shares.of(hazard, paths)
    path, each = paths.of_touch, (paths.conversions * paths.weights)[paths.of_touch]
    wanted = np.append(_possible(goals, errors, share.after(paths, size)[:-1]), 0.0)
    given = add_up(share.channel, share.hazard * each, size=size)
    less = np.divide(wanted, given, out=np.ones(size), where=given > wanted) - 1
    less[-1] = min(float(wanted.sum() / given[:-1].sum()), 1.0) - 1 if given[:-1].any() else 0.0
    kept = share.hazard * (1 + less[share.channel])
    rest = np.maximum(1 - add_up(path, kept, size=len(paths)), 0.0)
    lacking = wanted - given
    lacks = (lacking > 0).astype(np.float64)
    offered = share.of_rest(paths, lacks[share.channel]) * rest[path] * each
    room = add_up(share.channel, offered, size=size)
    more = np.minimum(np.divide(lacking, room, out=np.zeros(size), where=lacks * room > 0), 1.0)
    if less[-1] == 0 and room.any():
        more[-1] = min((wanted.sum() - given[:-1].sum()) / room.sum(), 1.0)
    corrections = less + more
    earned = add_up(share.channel, kept * each + more[share.channel] * offered, size=size)
    return np.asarray(corrections), earned[:-1]


def _possible(goals: Floats, errors: Floats, most: Floats) -> Floats:
    """Return goals that are not near all there is: means of what their errors leave possible."""
    found = np.minimum(goals, most)
    sure = np.flatnonzero(errors > 0)
    goal, error = goals[sure], errors[sure]
    low, high = -goal / error, (most[sure] - goal) / error
    chance = ndtr(high) - ndtr(low)
    density = np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)
    step = np.divide(
        error * density, np.sqrt(2 * np.pi) * chance,
        out=np.zeros(len(sure)), where=chance > _LEAST_CHANCE,
    )  # fmt: skip
    found[sure] = np.clip(goal + step, 0.0, found[sure])
    return found
