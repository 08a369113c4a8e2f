"""How well a model foretells who will convert: judged on a span that it has not seen.

To predict well is not to know causes. Who is shopping is shown ads and buys, and a model may
foretell him by his ads without knowing what they did. Poor predictions speak against a model; good
ones do not speak for its credit.

References
----------
He et al., "Practical lessons from predicting clicks on ads at Facebook", ADKDD 2014 (the normalised
entropy).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
import polars as pl

from attribution.conversions import DAY_US
from attribution.histories import Histories
from attribution.history_frames import day_of, read_histories
from attribution.learned.models import LEARNED, Forecaster
from attribution.learned.serving import read_stored
from attribution.paths import Floats
from calibration.metrics import log_loss
from warehouse.database import Warehouse
from warehouse.errors import ConfigError, InsufficientDataError

_SCHEMA: Final = {
    "model": pl.String, "fitted_until": pl.Date, "day": pl.Date, "histories": pl.Float64,
    "conversions": pl.Float64, "log_loss": pl.Float64, "constant_log_loss": pl.Float64,
    "gain": pl.Float64,
    "calibration_ratio": pl.Float64,
}  # fmt: skip


@dataclass(frozen=True)
class PredictiveQuality:
    """Figures of forecasts of which histories convert in a span, each counted by its weight.

    Attributes
    ----------
    histories : float
        How many there are.
    conversions : float
        How many of them converted, expected where matches are uncertain.
    log_loss : float
        In nats a history.
    constant_log_loss : float
        That of the rate that turned out, given to all of them: no constant does better.
    gain : float
        By what share of the constant's the log loss is less: 0 where the forecasts tell nothing of
        who converts, below 0 where they are worse than that (1 less the normalised entropy of He
        et al. 2014).
    calibration_ratio : float
        Predicted over observed conversions.
    """

    histories: float
    conversions: float
    log_loss: float
    constant_log_loss: float
    gain: float
    calibration_ratio: float


def predictive_quality(model: Forecaster, histories: Histories, split_us: int) -> PredictiveQuality:
    """Judge forecasts of the time from a split to the end, made of what was seen before it.

    Parameters
    ----------
    model : Forecaster
        Fitted on nothing later than the split: see :func:`seen_until`.
    histories : Histories
        What happened before and after the split.
    split_us : int
        Microseconds since 1970; what happens at this moment is to be foretold.

    Raises
    ------
    ConfigError
        If the split is not within the time watched.
    InsufficientDataError
        If nobody converted after the split, or all did.
    """
    _check(histories, split_us)
    expected = model.expected(histories, split_us, histories.end_us)
    converted = converted_since(histories, split_us)
    weights = histories.weights
    whole, sure = float(weights.sum()), float(weights @ converted)
    if not 0 < sure < whole:
        raise InsufficientDataError(
            f"predictive quality: {sure:.0f} of {whole:.0f} histories converted after the split. "
            "Take more days or users."
        )
    loss, constant = forecast_losses(expected, converted, weights)
    return PredictiveQuality(
        histories=whole,
        conversions=sure,
        log_loss=loss,
        constant_log_loss=constant,
        gain=1 - loss / constant,
        calibration_ratio=float(weights @ _chance(expected)) / sure,
    )


def forecast_losses(expected: Floats, converted: Floats, weights: Floats) -> tuple[float, float]:
    """Return the log loss of forecasts, and of the rate that turned out, given to all.

    Parameters
    ----------
    expected : ndarray of shape (histories,)
        Conversions that are foretold of each.
    converted : ndarray of shape (histories,)
        The probability that it did: an uncertain conversion is a part of a history that converted
        and a part of one that did not.
    weights : ndarray of shape (histories,)
        How many histories each stands for.
    """
    outcome = np.repeat([1.0, 0.0], len(expected))
    parts = np.concatenate([weights * converted, weights * (1 - converted)])
    rate = float(weights @ converted) / float(weights.sum())
    chance = np.tile(_chance(expected), 2)
    return (
        log_loss(outcome, chance, weight=parts),
        log_loss(outcome, np.full(len(outcome), rate), weight=parts),
    )


def _chance(expected: Floats) -> Floats:
    """Return the probability of one conversion or more: counts of a few would outweigh all."""
    return np.asarray(-np.expm1(-expected))


def foretold(warehouse: Warehouse, models: Sequence[str]) -> pl.DataFrame:
    """Judge what stored models foretell of the newest log day, fitted on days before it.

    Parameters
    ----------
    warehouse : Warehouse
        Opened for reading is enough.
    models : sequence of str
        Those that foretell nothing, or were not fitted before that day, are passed over.

    Returns
    -------
    DataFrame
        model, fitted_until (the last log day that it was fitted on), day (the one foretold), and
        the columns of :class:`PredictiveQuality`, null where nobody converted on that day.
    """
    days = warehouse.query("ledger/stored_days")["day"].to_list()
    stored = [] if not days else _stored(warehouse, models, days[-1])
    if not stored:
        return pl.DataFrame(schema=_SCHEMA)
    newest, begin = days[-1], min(first for _, _, first, _ in stored)
    histories = read_histories(warehouse, begin, newest)
    rows = [
        {"model": name, "fitted_until": last, "day": newest, **_figures(model, histories)}
        for name, model, _, last in stored
        if day_of(histories.start_us) < newest
    ]
    return pl.DataFrame(rows, schema=_SCHEMA)


def _stored(
    warehouse: Warehouse, models: Sequence[str], newest: date
) -> list[tuple[str, Forecaster, date, date]]:
    """Return models fitted before a day: name, model, first and last day that it was fitted on."""
    found: list[tuple[str, Forecaster, date, date]] = []
    for name, kind in LEARNED.items():
        if name not in models or not hasattr(kind, "expected"):
            continue
        kept = warehouse.query("attribution/kept_credit_models", model=str(name), settings="")
        rows = kept.filter(pl.col("last_day") < newest)
        if rows.is_empty():
            continue
        row = rows.row(-1, named=True)
        with suppress(ConfigError):  # of another version of adscribe; the next run fits another
            model = read_stored(warehouse, name, row["model_version"])
            if isinstance(model, Forecaster):
                found.append((str(name), model, row["first_day"], row["last_day"]))
    return found


def _figures(model: Forecaster, histories: Histories) -> dict[str, float]:
    try:
        return vars(predictive_quality(model, histories, histories.end_us - DAY_US))
    except InsufficientDataError:
        return {}


def seen_until(histories: Histories, split_us: int) -> Histories:
    """Return histories as they were known when watching had come to a split: to fit on.

    Raises
    ------
    ConfigError
        If the split is not within the time watched.
    """
    _check(histories, split_us)
    touched = np.flatnonzero(histories.touches.time_us < split_us)
    won = histories.conversion_us < split_us
    return replace(
        histories,
        end_us=split_us,
        touches=histories.touches.take(touched),
        touch_history=histories.touch_history[touched],
        conversion_us=histories.conversion_us[won],
        conversion_history=histories.conversion_history[won],
        probability=histories.probability[won],
        value=histories.value[won],
    )


def _check(histories: Histories, split_us: int) -> None:
    if not histories.start_us < split_us < histories.end_us:
        raise ConfigError(
            f"split_us = {split_us}: not between {histories.start_us} and {histories.end_us}, when "
            "watching began and ended. Give a time within it."
        )


def converted_since(histories: Histories, split_us: int) -> Floats:
    """Return the probability that each history converts from a split on, shape (histories,)."""
    late = histories.conversion_us >= split_us
    none = np.ones(len(histories))
    np.multiply.at(none, histories.conversion_history[late], 1 - histories.probability[late])
    return np.asarray(1 - none)
