"""Which of the stored models serves a log day, and how it is read.

A log day is served by the newest model of its day or before; where all are later, by the oldest. A
model of few log days knows little: one that was fitted on a quarter more outgrows it, and serves
the days of the former too.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import date
from typing import Any

from attribution.learned.models import LEARNED, LearnedModel
from warehouse.attribution_config import LearnedRules, Model
from warehouse.database import Warehouse
from warehouse.errors import ConfigError

_log = logging.getLogger("adscribe")


@dataclass(frozen=True)
class Serving:
    """A model that serves, and the log days that it was fitted on.

    Attributes
    ----------
    model : LearnedModel
        As it is read from its JSON.
    version : str
        A name made of the content: equal models have equal names.
    first_day, last_day : date
        The log days.
    settings : str
        Those that the fit hangs on.
    is_new : bool
        Whether it was fitted just now.
    """

    model: LearnedModel
    version: str
    first_day: date
    last_day: date
    settings: str
    is_new: bool = False

    @property
    def days(self) -> int:
        """The number of log days that it was fitted on."""
        return (self.last_day - self.first_day).days + 1


def stored_model(
    warehouse: Warehouse, name: Model, day: date, rules: LearnedRules
) -> Serving | None:
    """Return the model that serves a log day unless another is fitted; None if none can be read."""
    kept = warehouse.query(
        "attribution/kept_credit_models", model=name, settings=settings_of(rules)
    ).to_dicts()
    while kept:
        row = _grown(kept, day)
        try:
            model = read_stored(warehouse, name, row["model_version"])
        except ConfigError:
            _log.warning(
                "%s: %s of %s cannot be read in credit_models; another serves",
                name, row["model_version"], row["last_day"],
            )  # fmt: skip
            kept.remove(row)
            continue
        told = ("first_day", "last_day", "settings")
        return Serving(model, row["model_version"], **{column: row[column] for column in told})
    return None


def is_due(former: Serving, day: date, rules: LearnedRules) -> bool:
    """Return whether a log day is to have another model than the one that serves it."""
    if former.settings != settings_of(rules):
        return True
    if former.first_day <= day <= former.last_day:
        return False
    age = (day - former.last_day).days
    now = min((day - former.first_day).days + 1, rules.history_days)
    return age < 0 or age >= rules.refit_days or outgrown_days(now) >= former.days


def outgrown_days(days: int) -> int:
    """Return on how many log days a model was fitted at most that one of so many outgrows."""
    return 4 * days // 5


def settings_of(rules: LearnedRules) -> str:
    """Return the settings that a fit hangs on, as credit_models tells them."""
    return f"history_days={rules.history_days}"


def version_of(name: str, body: str) -> str:
    """Return the version of a model: a name made of its JSON, so that equal models have one."""
    return f"{name}-{hashlib.sha256(body.encode()).hexdigest()[:12]}"


def read_stored(warehouse: Warehouse, name: Model, version: str) -> LearnedModel:
    """Read a model that is kept.

    Raises
    ------
    ConfigError
        If its text is another than was stored, or of another version of adscribe.
    """
    key = {"model": name, "model_version": version}
    body: str = warehouse.query("attribution/credit_model_body", **key).item()
    if version_of(name, body) != version:
        raise ConfigError(f"credit_models: the body of {version} was changed. Fit it again.")
    return LEARNED[name].from_json(body)


def _grown(kept: list[dict[str, Any]], day: date) -> dict[str, Any]:
    """Return the row that serves a log day, of those of accepted models in the order of days."""
    before = [place for place, row in enumerate(kept) if row["last_day"] <= day]
    place = before[-1] if before else 0
    for later in range(place + 1, len(kept)):
        if outgrown_days(kept[later]["days"]) >= kept[place]["days"]:
            place = later
    return kept[place]
