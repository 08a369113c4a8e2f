"""Credit by what would have been without a touch: boosted trees for the intensity of conversions.

The intensity at a moment, in conversions an hour, is fitted in three steps:

1. What intent alone tells (:data:`exposure_features.INTENT`), on moments without click and view.
2. By what factor clicks and engaged views raise it, never below 1.
3. What an impression alone adds; too little for trees to see. Where ads were withheld at random,
   all touches together cause what users to whom a campaign was shown convert more often than users
   from whom it was withheld; impressions are given what clicks and views do not explain of it. If
   these explain too much, all are given less. Without holdouts an impression alone earns nothing.

The first two are logistic regressions of conversions against drawn moments, with the density of the
draws as offset, which fits the intensity of a point process (Baddeley et al. 2014).

Credit walks back from the last touch: each earns what it added given those before it, over the
intensity with all of them. What none added is organic.

Assumed: who clicks would have converted as often as others of the same intent who do not.

References
----------
Du, Zhong, Nair, Cui and Shou, "Causally driven incremental multi touch attribution using a
recurrent neural network", 2019 (credit by backward elimination).
Baddeley, Coeurjolly, Rubak and Waagepetersen, "Logistic regression for spatial Gibbs point
processes", Biometrika 2014.
Johnson, Lewis and Nubbemeyer, "Ghost ads", Journal of Marketing Research 2017 (holdouts compared
where the ad would have been shown).
Ke et al., "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 2017.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from attribution.conversions import HOUR_US
from attribution.draws import hash_unit
from attribution.histories import Histories
from attribution.learned.exposure_features import (
    OPPORTUNITY_DOSE,
    Rates,
    all_doses,
    intent_features,
    kept_doses,
    last_rows,
    touch_doses,
)
from attribution.learned.exposure_moments import Moments, moments_of, moments_of_paths
from attribution.learned.exposure_trees import (
    Sample,
    acted,
    conversions_caused,
    touch_columns,
    train_intent,
    train_touches,
)
from attribution.paths import LOOKBACK_US, Floats, Integers, Paths, positions
from warehouse.errors import ConfigError

if TYPE_CHECKING:
    import lightgbm

_NO_MODEL: Final = "the text is no counterfactual model."
_MEND: Final = "Fit another."
_FORMAT: Final = "adscribe counterfactual 1"
_MOST_TAKEN: Final = 0.8  # of what intent alone tells, by impressions at most
_SPREAD: Final = 0.07  # of the conversions touched: how far clicks and views may lie from lift
_BLOCK: Final = 200_000  # touches at a time
_NODES: Final = 4  # moments of a span
_HORIZON_US: Final = 24 * HOUR_US
_WATCHED: Final = 40_000.0  # histories by which the expected conversions are calibrated


@dataclass(frozen=True)
class CounterfactualModel:
    """A fitted model.

    Attributes
    ----------
    channels, advertisers, segments : tuple of str
        Names that it was fitted on.
    advertiser_of : tuple of int
        The advertiser of each channel.
    lookback_us : int
        How long a touch is remembered.
    rates : Rates
        Of the campaigns.
    start : float
        Logarithm of the intensity to which the trees add.
    impression : float
        Conversions an hour that an impression adds at once; it fades.
    scale : float
        What credit is multiplied by, at most 1.
    growth : float
        Conversions of a day over those expected from what was seen before it.
    intent_trees, touch_trees : str
        Trees in LightGBM's text; none where nothing followed clicks and views.
    """

    channels: tuple[str, ...]
    advertisers: tuple[str, ...]
    segments: tuple[str, ...]
    advertiser_of: tuple[int, ...]
    lookback_us: int
    rates: Rates
    start: float
    impression: float
    scale: float
    growth: float
    intent_trees: str
    touch_trees: str

    @classmethod
    def fit(cls, histories: Histories, *, lookback_us: int = LOOKBACK_US) -> Self:
        """Fit on what users saw and did, withheld ads included.

        Raises
        ------
        InsufficientDataError
            If too few histories converted.
        """
        import lightgbm  # slow to import, and few commands need it

        sample = Sample.of(histories, lookback_us=lookback_us)
        trees = train_intent(sample)
        told = sample.start + _predict(lightgbm.Booster(model_str=trees), sample.intent)
        model = cls(
            channels=histories.channels,
            advertisers=histories.advertisers,
            segments=histories.segments,
            advertiser_of=tuple(histories.advertiser_of.tolist()),
            lookback_us=lookback_us,
            rates=sample.rates,
            start=sample.start,
            impression=0.0,
            scale=1.0,
            growth=1.0,
            intent_trees=trees,
            touch_trees=train_touches(sample, told),
        )
        model = model._met(histories, sample)
        return replace(model, growth=model._growth(histories))

    def credit(self, paths: Paths) -> Floats:
        """Return the share of each path's conversion that each of its touches earned.

        A path may hold touches withheld; they earn nothing.

        Returns
        -------
        ndarray of float64, shape (touches,)
            At least 0, and at most 1 in sum over a path; what is left is organic.
        """
        parts = [self._shares(paths.take(rows)) for rows in _blocks(paths.offsets)]
        return np.concatenate([np.zeros(0), *parts])

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return the conversions expected of each history in a span, shape (histories,).

        The intensity, after what was seen before the span, at some moments of it, times its length.
        Touches within it are not known: all is multiplied by ``growth``.
        """
        of = np.arange(len(histories))
        return self.growth * self._foreseen(histories, of, start_us, end_us)

    def to_json(self) -> str:
        """Return the model as JSON; equal models give equal text."""
        told = {**vars(self), "format": _FORMAT}
        told["rates"] = {name: column.tolist() for name, column in vars(self.rates).items()}
        told.pop("_boosters", None)
        return json.dumps({**told, "digest": _digest(told)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        ConfigError
            If the text is no such model, or was changed.
        """
        try:
            told = json.loads(text)
            digest, form = told.pop("digest"), told["format"]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ConfigError(f"{_NO_MODEL} {_MEND}") from error
        if form != _FORMAT:
            raise ConfigError(f"{_NO_MODEL} It is of another format. {_MEND}")
        if digest != _digest(told):  # LightGBM aborts the process on changed trees
            raise ConfigError(f"{_NO_MODEL} It was changed after it was written. {_MEND}")
        rates = told.pop("rates")
        del told["format"]
        plain: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in told.items()
        }
        table, frequent = np.array(rates["table"]), np.array(rates["frequent"], dtype=np.bool_)
        return cls(**plain, rates=Rates(table, frequent))

    @cached_property
    def _boosters(self) -> "tuple[lightgbm.Booster, lightgbm.Booster | None]":
        import lightgbm  # slow to import, and few commands need it

        touch = lightgbm.Booster(model_str=self.touch_trees) if self.touch_trees else None
        return lightgbm.Booster(model_str=self.intent_trees), touch

    def _met(self, histories: Histories, sample: Sample) -> Self:
        """Return the model with what impressions add, so that all touches cause what they did.

        The step from what clicks and views explain to what holdouts say is shrunk by its variance.
        """
        known = conversions_caused(histories, lookback_us=self.lookback_us)
        paths = histories.paths(lookback_us=self.lookback_us)
        paths = paths.take(np.flatnonzero(paths.conversions > 0))
        each = (paths.conversions * paths.weights)[paths.of_touch]
        explained = float((self.credit(paths) * each).sum())
        touched = (paths.conversions * paths.weights)[np.diff(paths.offsets) > 0]
        if known is None or touched.sum() == 0:
            return self
        caused, variance = known
        spread = (_SPREAD * float(touched.sum())) ** 2
        step = (caused - explained) * spread / (spread + variance)
        if step < 0:
            return replace(self, scale=max(1 + step / max(explained, 1e-9), 0.0))
        return replace(self, impression=step / max(float(sample.impressions()), 1e-9))

    def _growth(self, histories: Histories) -> float:
        """Return conversions over expected ones on the last days watched, by some histories."""
        span = min(_HORIZON_US, (histories.end_us - histories.start_us) // 4)
        share = min(_WATCHED / len(histories), 1.0)
        owner = histories.user, histories.advertiser.astype(np.int64)
        taken = (histories.weights > 1) | (hash_unit(*owner, seed=3) < share)
        of = np.flatnonzero(taken)
        weights = np.where(histories.weights > 1, histories.weights, histories.weights / share)[of]
        foreseen = 0.0
        for nth in range(1, 4):
            begin = histories.end_us - nth * span
            foreseen += float(self._foreseen(histories, of, begin, begin + span) @ weights)
        late = histories.conversion_us >= histories.end_us - 3 * span
        happened = (histories.probability * histories.weights[histories.conversion_history])[late]
        return float(happened.sum() / foreseen)

    def _foreseen(self, histories: Histories, of: Integers, start_us: int, end_us: int) -> Floats:
        touched = np.flatnonzero(histories.touches.time_us < start_us)
        before = np.flatnonzero(histories.conversion_us < start_us)
        known = replace(
            histories,
            touches=histories.touches.take(touched),
            touch_history=histories.touch_history[touched],
            conversion_us=histories.conversion_us[before],
            conversion_history=histories.conversion_history[before],
        )
        hours = (end_us - start_us) / HOUR_US
        found = np.zeros(len(of))
        for node in range(_NODES):
            at = start_us + (end_us - start_us) * (2 * node + 1) // (2 * _NODES)
            when = np.full(len(of), at)
            moments = moments_of(known, of, when, lookback_us=self.lookback_us)
            moments = replace(self._known(moments, histories), fold=np.full(len(of), -1))
            doses = all_doses(moments, touch_doses(moments, self.rates))
            found += self._intensity(moments, doses, np.arange(len(of))) * hours / _NODES
        return found

    def _shares(self, paths: Paths) -> Floats:
        moments = self._known(moments_of_paths(paths), paths)
        kept = kept_doses(moments, touch_doses(moments, self.rates))
        state = np.repeat(np.arange(len(paths)), np.diff(paths.offsets) + 1)
        intensity = self._intensity(moments, kept, state)
        of = paths.of_touch
        row = np.arange(len(of)) + of + 1
        gain = np.maximum(intensity[row] - intensity[row - 1], 0.0)
        return np.asarray(self.scale * gain / intensity[last_rows(moments)][of])

    def _intensity(self, moments: Moments, doses: Floats, of: Integers) -> Floats:
        """Return conversions an hour for each row of doses, of a moment each, shape (rows,)."""
        intent, touch = self._boosters
        features = intent_features(moments, self.rates)
        told = (self.start + _predict(intent, features))[of]
        factor = np.ones(len(doses))
        rows = np.flatnonzero(acted(doses))
        if touch is not None and len(rows):
            raised = _predict(touch, touch_columns(told[rows], doses[rows]))
            factor[rows] = np.exp(np.maximum(raised, 0.0))
        alone = np.exp(told)
        missing = np.maximum(features[of, OPPORTUNITY_DOSE] - doses[:, -1], 0.0)
        return np.asarray(
            alone * factor - np.minimum(self.impression * missing, _MOST_TAKEN * alone)
        )

    def _known(self, moments: Moments, source: Histories | Paths) -> Moments:
        """Return moments with this model's numbers of campaigns, advertisers and segments."""
        places = positions(source.channels, self.channels)[moments.touches.channel]
        channel = np.where(places >= 0, places, len(self.channels)).astype(np.int32)
        return replace(
            moments,
            touches=replace(moments.touches, channel=channel),
            advertiser=positions(source.advertisers, self.advertisers)[moments.advertiser],
            segment=positions(source.segments, self.segments)[moments.segment],
        )


def _digest(told: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _predict(booster: "lightgbm.Booster", columns: Floats) -> Floats:
    return np.asarray(booster.predict(columns, raw_score=True, num_threads=1), dtype=np.float64)


def _blocks(offsets: Integers) -> Iterator[Integers]:
    """Yield the numbers of paths in their order, some touches at a time."""
    block = np.cumsum(np.diff(offsets) + 1) // _BLOCK
    yield from np.split(np.arange(len(block)), np.flatnonzero(np.diff(block)) + 1)
