"""Credit by an additive hazard: a touch earns its share of the intensity at the conversion.

Conversions of a user at an advertiser come at a rate that is the sum of a baseline, of what the
opportunities to show him ads tell of him, and of the effects of the ads shown, which fade. Additive
hazards were brought to attribution by Zhang, Wei and Ren (Multi-touch attribution in online
advertising with survival theory, 2014) and Ji and Wang (Additional multi-touch attribution for
online advertising, 2017). They credit all that follows a touch to the touch. But those who are
shopping are shown more ads: here an opportunity has an organic part of its own, whether the ad was
shown or withheld by a holdout, as with the ghost ads of Johnson, Lewis and Nubbemeyer (2017), so
that only what an ad shown adds to it is an effect.

Without holdouts the two are told apart by their form alone: the effects of all kinds of touches
fade alike, and campaigns differ in them by one factor for all kinds; ``basis`` says so.
"""

import json
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

import numpy as np
import polars as pl

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.learned.effects import EFFECTS, HazardBasis, basis_of
from attribution.learned.hazard_cells import (
    AGES,
    RESPONSES,
    Cells,
    add_up,
    bins,
    hours_of_day,
)
from attribution.learned.hazard_fit import fit_rates
from attribution.learned.hazard_rates import (
    FLOOR,
    HazardReading,
    baselines,
    cell_rates,
    expected_effects,
    gather,
    opportunity_rates,
)
from attribution.learned.unforeseen import unforeseen
from attribution.paths import KINDS, Codes, Floats, Integers, Paths, positions
from warehouse.errors import ConfigError

_BINS: Final = len(AGES)
_MOST_CARRY: Final = 10.0


@dataclass(frozen=True, eq=False)
class AdditiveHazard:
    """A fitted additive hazard; rates are conversions an hour.

    Attributes
    ----------
    channels, advertisers, segments : tuple of str
        Names that it was fitted on.
    advertiser_of : ndarray of int32, shape (channels,)
        The advertiser of each channel.
    basis : tuple of HazardBasis, of length channels
        What the effects of each channel were told apart by.
    baseline : ndarray of shape (advertisers + 1, segments + 1)
        Organic rate of a user without touches; the last of each stands for unknown ones.
    hours : ndarray of shape (24,)
        Factors of the baseline by the hour of the day in UTC.
    organic, shares : ndarray of shape (channels + 1,) and (channels + 1, 3)
        Level of the organic part of opportunities, and how often each response is met with.
    response, organic_curve : ndarray of shape (3,) and (bins,)
        Factors of responses, and the organic rate by age.
    effect : ndarray of shape (channels + 1,)
        Factors of touches shown; the last of all stands for unknown channels.
    kernels : ndarray of shape (kinds, bins)
        Rates that touches shown add, by kind and age.
    carry : float
        What effects are multiplied by in paths: a path begins anew after a conversion, though the
        touches before it go on to work. With it, the credit of the paths that the model was
        fitted on sums to the conversions that it expects touches to cause.
    """

    channels: tuple[str, ...]
    advertisers: tuple[str, ...]
    segments: tuple[str, ...]
    advertiser_of: Codes
    basis: tuple[HazardBasis, ...]
    baseline: Floats
    hours: Floats
    organic: Floats
    shares: Floats
    response: Floats
    organic_curve: Floats
    effect: Floats
    kernels: Floats
    carry: float

    @classmethod
    def fit(cls, histories: Histories, *, reading: HazardReading | None = None) -> Self:
        """Fit on what users saw and did, those who never converted included.

        Parameters
        ----------
        histories : Histories
            What they saw and did.
        reading : HazardReading, optional
            Of these histories, where it is known already.

        Raises
        ------
        InsufficientDataError
            If the histories hold fewer than 10 conversions.
        """
        reading = HazardReading.of(histories) if reading is None else reading
        evidence = gather(histories, reading)
        rates = fit_rates(evidence).rates
        levels, factors = (
            rates.levels(evidence.advertiser_of),
            rates.factors(evidence.advertiser_of),
        )
        common = evidence.shares.mean(axis=0) if len(levels) else np.full(3, 1 / 3)
        model = cls(
            channels=histories.channels,
            advertisers=histories.advertisers,
            segments=histories.segments,
            advertiser_of=histories.advertiser_of,
            basis=basis_of(histories),
            baseline=baselines(rates, evidence, len(histories.segments)),
            hours=rates.hours,
            organic=np.append(levels, 1.0),
            shares=np.vstack([evidence.shares, common]),
            response=rates.response,
            organic_curve=rates.organic_curve,
            effect=np.append(factors, 1.0),
            kernels=rates.kernels(),
            carry=1.0,
        )
        goal = expected_effects(rates, evidence)
        return replace(model, carry=model._carried(reading.paths, goal))

    def effects(self) -> pl.DataFrame:
        """Return what the model found out of each campaign: see ``effects.TellsEffects``."""
        told = {"campaign_id": self.channels, "basis": self.basis}
        return pl.DataFrame({name: told.get(name) for name in EFFECTS}, schema=EFFECTS)

    @property
    def cells(self) -> Floats:
        """The rate of each cell of the channels and of unknown ones."""
        met = opportunity_rates(self.organic, self.response, self.organic_curve)
        return cell_rates(met, self.shares, self.effect, self.kernels)

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        Touches older than the last of :data:`~attribution.learned.hazard_cells.AGES` earn nothing.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        effect, organic = self.intensities(paths)
        path = paths.of_touch
        total = organic + self.carry * add_up(path, effect, size=len(paths))
        share = np.zeros(len(path))
        np.divide(self.carry * effect, total[path], out=share, where=effect > 0)
        return share

    def intensities(self, paths: Paths) -> tuple[Floats, Floats]:
        """Return the effect of each touch and the organic rate of each path at its end.

        Returns
        -------
        effect : ndarray of shape (touches,)
            Conversions an hour, ``carry`` not counted.
        organic : ndarray of shape (paths,)
            The same of what touches did not cause.
        """
        path = paths.of_touch
        channel = _known(paths.channels, self.channels)[paths.touches.channel]
        cells = Cells.of(paths.touches, path, channel, len(self.channels) + 1)
        rates, age = self.cells, bins(paths.age_us)
        organic, effect = (
            np.where((first >= 0) & (age >= 0), rates[first + np.maximum(age, 0)], 0.0)
            for first in (cells.opportunity, cells.effect)
        )
        advertiser = _known(paths.advertisers, self.advertisers)[paths.advertiser]
        segment = _known(paths.segments, self.segments)[paths.segment]
        hour = paths.end_us // HOUR_US % 24
        base = self.baseline[advertiser, segment] * self.hours[hour]
        return effect, base + add_up(path, organic, size=len(paths))

    def incremental_by_channel(self, histories: Histories) -> Floats:
        """Return the conversions that touches are expected to cause while histories are watched.

        It is less noisy than sums of credit, for it does not count which conversions came.

        Returns
        -------
        ndarray of float64, shape (channels,)
            In the order of the histories' channels.
        """
        touches, owner = histories.touches, histories.touch_history
        cells = self._cells_of(histories, np.arange(len(owner)))
        causes = Cells(cells.channels, np.full(len(owner), -1), cells.effect)
        ages = self._ages(histories, histories.start_us, histories.end_us)
        caused = causes.expected(self.cells, *ages) * histories.weights[owner]
        sums: Floats = add_up(touches.channel, caused, size=len(histories.channels))
        return sums

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected in a span, given what was seen before it.

        What touches still to come will add is learned from the span of the same length before, by
        how many touches a history had; that span must have been watched, or nothing is added.

        Returns
        -------
        ndarray of float64, shape (histories,)
        """
        seen = self._foreseen(histories, start_us, end_us)
        earlier_us = 2 * start_us - end_us
        if earlier_us < histories.start_us:
            return seen
        before = self._foreseen(histories, earlier_us, start_us)
        return np.asarray(seen * unforeseen(histories, before, earlier_us, start_us))

    def _carried(self, paths: Paths, goal: float) -> float:
        """Return the factor of effects at which the credit of paths sums to the goal."""
        effect, organic = self.intensities(paths)
        effects = add_up(paths.of_touch, effect, size=len(paths))
        touched = np.flatnonzero((effects > 0) & (paths.conversions > 0))
        count = (paths.weights * paths.conversions)[touched]
        odds = effects[touched] / np.maximum(organic[touched], FLOOR)
        low, high = 0.0, np.log(_MOST_CARRY)
        for _ in range(40):
            middle = (low + high) / 2
            earned = count @ (1 - 1 / (1 + np.exp(middle) * odds))
            low, high = (middle, high) if earned < goal else (low, middle)
        return float(np.exp(low))

    def _foreseen(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected of the baseline and of touches before a span."""
        advertiser = _known(histories.advertisers, self.advertisers)[histories.advertiser]
        segment = _known(histories.segments, self.segments)[histories.segment]
        base = self.baseline[advertiser, segment] * (hours_of_day(start_us, end_us) @ self.hours)
        rows = np.flatnonzero(histories.touches.time_us < start_us)
        cells = self._cells_of(histories, rows)
        first, last = self._ages(histories, start_us, end_us)
        parts = cells.expected(self.cells, first[rows], last[rows])
        owner = histories.touch_history[rows]
        return np.asarray(base + add_up(owner, parts, size=len(histories)))

    def _cells_of(self, histories: Histories, rows: Integers) -> Cells:
        touches = histories.touches.take(rows)
        channel = _known(histories.channels, self.channels)[touches.channel]
        return Cells.of(touches, histories.touch_history[rows], channel, len(self.channels) + 1)

    def _ages(self, histories: Histories, start_us: int, end_us: int) -> tuple[Floats, Floats]:
        """Return the ages in hours at which each touch passes through a span."""
        time_us = histories.touches.time_us
        return np.maximum(start_us - time_us, 0) / HOUR_US, (end_us - time_us) / HOUR_US

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        values = {name: getattr(self, name) for name in _FIELDS}
        plain = {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in values.items()
        }
        return json.dumps({"model": "additive hazard", "ages": AGES, **plain}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no such model.
        """
        try:
            found = json.loads(text)
            if found.pop("model") != "additive hazard" or tuple(found.pop("ages")) != AGES:
                raise ValueError
            model = cls(**{name: _read(name, found[name]) for name in _FIELDS})
            model._check()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError("model text: it is no additive hazard. Fit it again.") from error
        return model

    def _check(self) -> None:
        """Raise a ValueError where the fields do not fit each other."""
        channels = len(self.channels) + 1
        shapes = {
            "advertiser_of": (channels - 1,),
            "baseline": (len(self.advertisers) + 1, len(self.segments) + 1),
            "hours": (24,),
            "organic": (channels,),
            "shares": (channels, len(RESPONSES) - 1),
            "response": (len(RESPONSES) - 1,),
            "organic_curve": (_BINS,),
            "effect": (channels,),
            "kernels": (len(KINDS), _BINS),
            "carry": (),
        }
        if len(self.basis) != channels - 1:
            raise ValueError("basis")
        for name, shape in shapes.items():
            values = np.asarray(getattr(self, name))
            if values.shape != shape or not np.isfinite(values).all() or (values < 0).any():
                raise ValueError(name)


_FIELDS: Final = tuple(field.name for field in fields(AdditiveHazard))


def _read(name: str, found: Any) -> Any:
    """Return a field from what JSON says of it."""
    if name in ("channels", "advertisers", "segments"):
        return tuple(map(str, found))
    if name == "basis":
        return tuple(map(HazardBasis, found))
    return np.array(found, dtype=np.int32 if name == "advertiser_of" else np.float64)[()]


def _known(names: tuple[str, ...], known: tuple[str, ...]) -> Codes:
    """Return the number that a model has for each name; that after its last for unknown ones."""
    return positions(names, known, unknown=len(known))
