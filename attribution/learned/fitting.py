"""Which fitted model serves a log day: a schedule of refits, each behind guardrails.

A log day is served by the newest model of its day or before. Where that is ``refit_days`` old, or
was fitted on four fifths of the log days that there are now or fewer, or where there is none, a new
one is fitted on the log days up to this one. If it does not pass its guardrails
(:mod:`attribution.learned.guardrails`) it is refused: the table credit_models says why, the former
serves on, and the next log day tries again. A day before the log days of all models that are kept
has none, so that one is fitted for it; where that is refused the oldest serves it.

A model of few log days knows little. One that was fitted on a quarter more outgrows it: it
serves the days of the former too, and their credit is given anew
(:mod:`attribution.learned.credit`). Where there are ``history_days`` log days nothing is outgrown
any more, and credit that stands is moved by no refit.

Models are kept while they serve a log day of the last ``history_days`` (or ``late_days``, if more):
when it is run again the same one serves it. Of others only what they were fitted on is kept.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any, Final

import lightgbm
import numpy as np
import polars as pl

from attribution.histories import Histories
from attribution.history_frames import day_of, read_eligible_paths, read_histories
from attribution.learned.guardrails import (
    Figures,
    expected_conversions,
    judge,
    read_back,
    require_conversions,
)
from attribution.learned.models import (
    LEARNED,
    LearnedModel,
    MeetsTotals,
    TellsEffects,
    read_stored,
    version_of,
)
from attribution.paths import Paths
from warehouse.attribution_config import LearnedRules, Model
from warehouse.errors import AdscribeError, ConfigError
from warehouse.runs import Run, version

_log = logging.getLogger("adscribe")

# a fit that fails, in whatever numbers, must not keep the day from being credited
_FAILURES: Final = (
    AdscribeError, lightgbm.basic.LightGBMError, np.linalg.LinAlgError, ArithmeticError, ValueError,
)  # fmt: skip
_TYPES: Final = {
    "model": pl.String, "model_version": pl.String, "first_day": pl.Date, "last_day": pl.Date,
    "settings": pl.String, "status": pl.String, "reason": pl.String, "histories": pl.Int64,
    "conversions": pl.Float64, "log_loss": pl.Float64, "constant_log_loss": pl.Float64,
    "calibration_ratio": pl.Float64, "moved": pl.Float64, "run_id": pl.String,
    "adscribe_version": pl.String, "body": pl.String,
}  # fmt: skip


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


def serving_models(run: Run, models: Sequence[Model], day: date) -> dict[Model, Serving]:
    """Return the models that serve a log day, fitting those that are due.

    Parameters
    ----------
    run : Run
        The run whose warehouse, configuration and ledger are used. The conversions must have been
        credited under a model that is not fitted.
    models : sequence of Model
        Which ones, of :data:`attribution.learned.LEARNED`.
    day : date
        The log day.

    Returns
    -------
    dict of Model to Serving
        Without those that were never accepted.

    """
    days, rules = _Days(run, day), run.config.attribution.learned
    serving = {}
    for name in models:
        former = _stored(run, name, day)
        if former is None or _is_due(former, day, rules):
            former = _refit(run, name, days, former) or former
        if former is not None:
            serving[name] = former
    return serving


def outgrown_days(days: int) -> int:
    """Return on how many log days a model was fitted at most that one of so many outgrows."""
    return 4 * days // 5


@dataclass
class _Days:
    """The log days up to one, and the histories on them, read when they are first wanted."""

    run: Run
    last_day: date

    @property
    def rules(self) -> LearnedRules:
        return self.run.config.attribution.learned

    @property
    def first_day(self) -> date:
        return self.last_day - timedelta(days=self.rules.history_days - 1)

    @cached_property
    def histories(self) -> Histories:
        return read_histories(self.run.warehouse, self.first_day, self.last_day)

    @property
    def eligible_paths(self) -> Paths:
        """Their paths, of touches that may earn alone."""
        first_day = day_of(self.histories.start_us)
        return read_eligible_paths(self.run.warehouse, first_day, self.last_day)


@dataclass(frozen=True)
class _Fitted:
    """What came of a fit."""

    model: LearnedModel
    body: str
    version: str
    figures: Figures


def _stored(run: Run, name: Model, day: date) -> Serving | None:
    """Return the model that serves a log day unless another is fitted; None if it is unreadable."""
    settings = _settings(run.config.attribution.learned)
    kept = run.warehouse.query(
        "attribution/kept_credit_models", model=str(name), settings=settings
    ).to_dicts()
    while kept:
        row = _grown(kept, day)
        version = row["model_version"]
        body = run.warehouse.query(
            "attribution/credit_model_body", model=str(name), model_version=version
        ).item()
        try:
            model = read_stored(name, version, body)
        except ConfigError:
            _log.warning(
                "%s: %s of %s cannot be read in credit_models; another serves",
                name, version, row["last_day"],
            )  # fmt: skip
            kept.remove(row)
            continue
        told = ("first_day", "last_day", "settings")
        return Serving(model, version, **{column: row[column] for column in told})
    return None


def _grown(kept: list[dict[str, Any]], day: date) -> dict[str, Any]:
    """Return the row that serves a log day, of those of accepted models in the order of days."""
    before = [place for place, row in enumerate(kept) if row["last_day"] <= day]
    place = before[-1] if before else 0
    for later in range(place + 1, len(kept)):
        if outgrown_days(kept[later]["days"]) >= kept[place]["days"]:
            place = later
    return kept[place]


def _is_due(former: Serving, day: date, rules: LearnedRules) -> bool:
    if former.settings != _settings(rules):
        return True
    if former.first_day <= day <= former.last_day:
        return False
    age = (day - former.last_day).days
    now = min((day - former.first_day).days + 1, rules.history_days)
    return age < 0 or age >= rules.refit_days or outgrown_days(now) >= former.days


def _settings(rules: LearnedRules) -> str:
    return f"history_days={rules.history_days}"


def _refit(run: Run, name: Model, days: _Days, former: Serving | None) -> Serving | None:
    """Fit a model, and keep what came of it; return it where it passes."""
    before = former.model if former is not None and former.last_day <= days.last_day else None
    fitted, reason = None, None
    try:
        fitted = _fit(name, days, before)
        reason = fitted.figures.complaint(days.rules)
    except _FAILURES as error:
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    row = _row(run, name, days, fitted, reason)
    run.warehouse.execute(
        "attribution/delete_credit_model",
        model=str(name),
        last_day=days.last_day,
        settings=_settings(days.rules),
    )
    with run.warehouse.frame("attempt", pl.DataFrame([row], schema=_TYPES)):
        run.warehouse.execute("attribution/insert_credit_model")
    if fitted is None or reason is not None:
        _say_refused(name, days.last_day, str(reason), former)
        return None
    _keep_effects(run, name, fitted)
    _prune(run, name, days)
    _log.info(
        "%s: fitted %s on log days %s to %s", name, fitted.version, row["first_day"], days.last_day
    )
    return Serving(
        model=fitted.model,
        version=fitted.version,
        first_day=day_of(days.histories.start_us),
        last_day=days.last_day,
        settings=_settings(days.rules),
        is_new=True,
    )


def _keep_effects(run: Run, name: Model, fitted: _Fitted) -> None:
    """Keep what the model found out of each campaign."""
    if not isinstance(fitted.model, TellsEffects):
        return
    key = {"model": str(name), "model_version": fitted.version}
    run.warehouse.execute("attribution/delete_campaign_effects", **key)
    with run.warehouse.frame("effects", fitted.model.effects()):
        run.warehouse.execute("attribution/insert_campaign_effects", **key)


def _prune(run: Run, name: Model, days: _Days) -> None:
    """Let go of the models that serve no day that is likely to be run again."""
    kept_days = max(days.rules.history_days, run.config.attribution.late_days)
    run.warehouse.execute(
        "attribution/prune_credit_models",
        model=str(name),
        first_day=days.last_day - timedelta(days=kept_days),
    )


def _fit(name: Model, days: _Days, former: LearnedModel | None) -> _Fitted:
    histories = days.histories
    require_conversions(histories, days.rules.least_conversions)
    fitted = LEARNED[name].fit(histories)
    if isinstance(fitted, MeetsTotals):
        fitted = fitted.meeting(days.eligible_paths)
    model, body = read_back(fitted)
    return _Fitted(model, body, version_of(str(name), body), judge(model, histories, former))


def _row(
    run: Run, name: Model, days: _Days, fitted: _Fitted | None, reason: str | None
) -> dict[str, object]:
    """Return the row of credit_models that tells of an attempt."""
    histories = vars(days).get("histories")  # none where there are no touches to read
    figures = Figures() if fitted is None else fitted.figures
    return {
        "model": str(name),
        "model_version": None if fitted is None else fitted.version,
        "first_day": days.first_day if histories is None else day_of(histories.start_us),
        "last_day": days.last_day,
        "settings": _settings(days.rules),
        "status": "accepted" if reason is None else "refused",
        "reason": reason,
        "histories": 0 if histories is None else round(histories.weights.sum()),
        "conversions": 0.0 if histories is None else expected_conversions(histories),
        "log_loss": figures.log_loss,
        "constant_log_loss": figures.constant_log_loss,
        "calibration_ratio": figures.calibration_ratio,
        "moved": figures.moved,
        "run_id": run.run_id,
        "adscribe_version": version(),
        "body": fitted.body if fitted is not None and reason is None else None,
    }


def _say_refused(name: Model, day: date, reason: str, former: Serving | None) -> None:
    if former is None:
        _log.info(
            "%s: no model for %s yet (%s). Its credit follows with the first one", name, day, reason
        )
    else:
        _log.warning(
            "%s: the model of %s is refused (%s); %s of %s serves on. See the report credit_models",
            name, day, reason, former.version, former.last_day,
        )  # fmt: skip
