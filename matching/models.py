"""Trained models: what a model is, its folder, and which one serves a log day.

A model is a folder named after its content: the trees as LightGBM's text and everything else as
JSON; nothing is unpickled. It stands below ``<warehouse>.models``, and the table pair_models lists
it. A model that ``adscribe train`` made is the active one. Without it, each log day has the model
of a schedule, so that a day matched again gets the same model: the first is trained on the first
day by which enough signals are known to be of a user, the next whenever these have doubled, and
later ones every ``training_days``, or later where too few signals would teach it.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import numpy as np
import polars as pl

from matching.pair_model import Fitted, Floats, matrix
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import ConfigError, WarehouseError

if TYPE_CHECKING:
    import lightgbm

ACTIVE_MODEL: Final = "active_model"
_BOOSTER_FILE: Final = "booster.txt"
_FACTS_FILE: Final = "model.json"


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model beside its trees.

    Attributes
    ----------
    features : tuple of str
        The features, in order.
    start : float
        Log-odds to which the trees add.
    slope, intercept : float
        The calibrator of the log-odds, fitted on signals of persons that the trees had not seen.
    same_contact : dict of str to float
        For e-mail and phone: of pairs that are one person and show both, the share that shows the
        same.
    first_day, last_day : str
        The log days trained on.
    counts : dict of str to int
        signals, pairs, and named: signals of which a candidate showed the same contact.
    metrics : dict of str to float
        Of signals of persons that were held out: average_precision (of the best candidates, towards
        the same contact), log_loss (of what is seen of a signal), calibration_ratio (expected over
        seen same contacts of the best candidates); later_average_precision, of the last days' held
        out signals under trees of the days before (0 where there are too few days); and outsiders,
        the estimated share of signals that are of no user.
    lookback_days, candidates : int
        Of the configuration that it was trained under; features hang on them.
    seed : int
        The seed.
    adscribe_version, lightgbm_version : str
        What it was trained with.
    """

    features: tuple[str, ...]
    start: float
    slope: float
    intercept: float
    same_contact: dict[str, float]
    first_day: str
    last_day: str
    counts: dict[str, int]
    metrics: dict[str, float]
    lookback_days: int
    candidates: int
    seed: int
    adscribe_version: str
    lightgbm_version: str


class PairModel:
    """A trained model: boosted trees and :class:`ModelFacts`."""

    def __init__(
        self, booster: "lightgbm.Booster", facts: ModelFacts, *, text: str | None = None
    ) -> None:
        self._booster = booster
        self._fitted = Fitted(booster, facts.start)
        self.facts = facts
        self._text = booster.model_to_string() if text is None else text

    @property
    def version(self) -> str:
        """A name made of the content: equal models have equal names."""
        return _version(self._text, self.facts)

    def settings(self, config: ModelConfig) -> ModelConfig:
        """Return a configuration under which features are what they were in training."""
        told = {"lookback_days": self.facts.lookback_days, "candidates": self.facts.candidates}
        return config.model_copy(update=told)

    def to_dict(self) -> dict[str, object]:
        """Return the version and the facts as plain values, for JSON."""
        return {"model_version": self.version, **asdict(self.facts)}

    def scores(self, pairs: pl.DataFrame) -> Floats:
        """Return calibrated log-odds of each pair against nobody, shape (n,).

        Raises
        ------
        ConfigError
            If the pairs lack a feature that the model was trained on.
        """
        self.check(pairs.columns)
        scores = self._fitted.scores(pairs, self.facts.features)
        return self.facts.slope * scores + self.facts.intercept

    def contributions(self, pairs: pl.DataFrame) -> pl.DataFrame:
        """Return what each feature adds to the log-odds of each pair (SHAP values), and the start.

        References
        ----------
        Lundberg et al., "From local explanations to global understanding with explainable AI for
        trees", 2020.
        """
        self.check(pairs.columns)
        values = np.asarray(
            self._booster.predict(matrix(pairs, self.facts.features), pred_contrib=True)
        )
        frame = pl.DataFrame(self.facts.slope * values, schema=[*self.facts.features, "start"])
        start = self.facts.slope * self.facts.start + self.facts.intercept
        return frame.with_columns(pl.col("start") + start)

    def check(self, columns: list[str]) -> None:
        """See that features are those that the model was trained on.

        Raises
        ------
        ConfigError
            If one is missing.
        """
        missing = [name for name in self.facts.features if name not in columns]
        if missing:
            raise ConfigError(
                f"model {self.version}: it was trained on the feature {missing[0]}, which this "
                "adscribe does not compute. Train another: adscribe train"
            )

    def save(self, folder: Path) -> None:
        """Write the model into a folder of its version below `folder`.

        Raises
        ------
        WarehouseError
            If it cannot be written.
        """
        own = folder / self.version
        try:
            own.mkdir(parents=True, exist_ok=True)
            (own / _BOOSTER_FILE).write_text(self._text, encoding="utf-8")
            (own / _FACTS_FILE).write_text(_plain(self.facts), encoding="utf-8")
        except OSError as error:
            raise WarehouseError(
                f"{own}: the model cannot be written ({error.strerror}). Free the folder."
            ) from error

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model from its folder.

        Raises
        ------
        ConfigError
            If there is none, or its files are not what they were.
        """
        import lightgbm  # slow to import, and few commands need it

        mend = "Restore the folder, or train another: adscribe train"
        try:
            text = (folder / _BOOSTER_FILE).read_text(encoding="utf-8")
            told = json.loads((folder / _FACTS_FILE).read_text(encoding="utf-8"))
            facts = _facts_of(told)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ConfigError(f"{folder}: no model can be read there. {mend}") from error
        if _version(text, facts) != folder.name:  # LightGBM aborts the process on changed trees
            raise ConfigError(f"{folder}: its files are not those that were trained. {mend}")
        return cls(lightgbm.Booster(model_str=text), facts, text=text)


def models_folder(warehouse: Warehouse) -> Path:
    """Return where the models of a warehouse are."""
    return warehouse.path.with_name(f"{warehouse.path.name}.models")


def active_model(warehouse: Warehouse) -> str | None:
    """Return the version of the model that ``adscribe train`` made last; None without one."""
    known = warehouse.query("ledger/setting", name=ACTIVE_MODEL)
    return None if known.is_empty() else str(known.item())


def settings_of(config: ModelConfig) -> str:
    """Return, as text, the settings that the features and the training of a model hang on."""
    return ",".join(
        f"{name}={getattr(config, name)}"
        for name in ("lookback_days", "candidates", "training_days", "training_signals", "seed")
    )


def newest_scheduled_day(warehouse: Warehouse, day: date, config: ModelConfig) -> date | None:
    """Return the last training day of the schedule's newest model that may serve a log day."""
    known: date | None = warehouse.query(
        "matching/newest_scheduled_day", day=day, settings=settings_of(config)
    ).item()
    return known


def training_day(warehouse: Warehouse, day: date, config: ModelConfig) -> date | None:
    """Return the last log day that the schedule's model of `day` is trained on.

    None where too few signals are known to be of a user by then. The schedule goes on from the
    newest of its models, so that the days before need not be counted again.
    """
    window = timedelta(days=config.training_days)
    newest = newest_scheduled_day(warehouse, day, config)
    first = date.min if newest is None else newest - window + timedelta(days=1)
    rows = warehouse.query("matching/learnable_days", first_day=first, day=day).iter_rows()
    counts: dict[date, int] = dict(rows)

    def learnable(until: date) -> int:
        return sum(count for known, count in counts.items() if until - window < known <= until)

    chosen = None if newest is None else (newest, learnable(newest))
    for log_day in counts:
        if newest is not None and log_day <= newest:
            continue
        signals = learnable(log_day)
        grown = chosen is None or signals >= 2 * chosen[1] or log_day - chosen[0] >= window
        if grown and signals >= config.enough_signals:
            chosen = (log_day, signals)
    return None if chosen is None else chosen[0]


def _facts_of(told: object) -> ModelFacts:
    if not isinstance(told, dict) or set(told) != {field.name for field in fields(ModelFacts)}:
        raise ValueError("not the facts of a model")
    return ModelFacts(**{**told, "features": tuple(told["features"])})


def _version(text: str, facts: ModelFacts) -> str:
    return "pairs-" + hashlib.sha256((text + _plain(facts)).encode()).hexdigest()[:12]


def _plain(facts: ModelFacts) -> str:
    return json.dumps(asdict(facts), indent=2, sort_keys=True) + "\n"
