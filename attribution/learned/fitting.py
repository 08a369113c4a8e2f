"""Fits of the models that serve a log day: a schedule of refits, each behind guardrails.

Where the model that serves a day (:mod:`attribution.learned.serving`) is ``refit_days`` old, or was
fitted on four fifths of the log days that there are now or fewer, or where there is none, a new
one is fitted on the log days up to this one. If it does not pass its guardrails
(:mod:`attribution.learned.guardrails`) it is refused: the table credit_models says why, the former
serves on, and the next log day tries again. A day before the log days of all models that are kept
has none, so that one is fitted for it; where that is refused the oldest serves it.

Credit of a model that is outgrown is given anew (:mod:`attribution.learned.credit`). Where there
are ``history_days`` log days nothing is outgrown any more, and credit that stands is moved by no
refit.

Models are kept while they serve a log day of the last ``history_days`` (or ``late_days``, if more):
when it is run again the same one serves it. Of others only what they were fitted on is kept.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from attribution.histories import Histories
from attribution.history_frames import day_of, read_eligible_paths, read_histories
from attribution.learned.effects import TellsEffects
from attribution.learned.guardrails import (
    Figures,
    expected_conversions,
    judge,
    read_back,
    require_conversions,
)
from attribution.learned.models import LEARNED, LearnedModel, MeetsTotals
from attribution.learned.serving import Serving, is_due, settings_of, stored_model, version_of
from attribution.paths import Paths
from warehouse.attribution_config import LearnedRules, Model
from warehouse.errors import AdscribeError
from warehouse.runs import Run, version

_log = logging.getLogger("adscribe")

_TYPES: Final = {
    "model": pl.String, "model_version": pl.String, "first_day": pl.Date, "last_day": pl.Date,
    "settings": pl.String, "status": pl.String, "reason": pl.String, "histories": pl.Int64,
    "conversions": pl.Float64, "log_loss": pl.Float64, "constant_log_loss": pl.Float64,
    "calibration_ratio": pl.Float64, "moved": pl.Float64, "run_id": pl.String,
    "adscribe_version": pl.String, "body": pl.String,
}  # fmt: skip


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
        former = stored_model(run.warehouse, name, day, rules)
        if former is None or is_due(former, day, rules):
            former = _refit(run, name, days, former) or former
        if former is not None:
            serving[name] = former
    return serving


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


def _refit(run: Run, name: Model, days: _Days, former: Serving | None) -> Serving | None:
    """Fit a model, and keep what came of it; return it where it passes."""
    before = former.model if former is not None and former.last_day <= days.last_day else None
    fitted, reason = None, None
    try:
        fitted = _fit(name, days, before)
        reason = fitted.figures.complaint(days.rules)
    except _failures() as error:
        reason = str(error).partition("\n")[0].rstrip(".") or type(error).__name__
    row = _row(run, name, days, fitted, reason)
    run.warehouse.execute(
        "attribution/delete_credit_model",
        model=str(name),
        last_day=days.last_day,
        settings=settings_of(days.rules),
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
        settings=settings_of(days.rules),
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
    return _Fitted(model, body, version_of(name, body), judge(model, histories, former))


def _failures() -> tuple[type[Exception], ...]:
    """Return the errors of a fit, in whatever numbers, that must not keep a day uncredited."""
    from lightgbm.basic import LightGBMError  # slow to import, and looked at where a fit fails

    return AdscribeError, LightGBMError, np.linalg.LinAlgError, ArithmeticError, ValueError


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
        "settings": settings_of(days.rules),
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
