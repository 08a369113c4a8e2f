"""What a fitted model must pass before it serves."""

import json
from dataclasses import dataclass, replace
from typing import Final, NoReturn

import numpy as np

from attribution.conversions import DAY_US
from attribution.histories import Histories
from attribution.learned.models import Forecaster, LearnedModel
from attribution.learned.predictions import converted_since, forecast_losses
from attribution.paths import Floats, Paths
from warehouse.attribution_config import LearnedRules
from warehouse.errors import ConfigError, InsufficientDataError

_ROUNDING: Final = 1e-9


@dataclass(frozen=True)
class Figures:
    """How a model did; None is not known.

    Attributes
    ----------
    log_loss, constant_log_loss : float or None
        Of the newest day, given what was seen before it: of the model's probabilities that a user
        converts, and of one rate for all. The model has seen that day, so that this finds what is
        broken rather than what is weak.
    calibration_ratio : float or None
        Conversions expected on that day over those that came.
    moved : float or None
        The share of credit that goes elsewhere than under the model before.
    former_log_loss : float or None
        Of the model before, on the same day.
    """

    log_loss: float | None = None
    constant_log_loss: float | None = None
    calibration_ratio: float | None = None
    moved: float | None = None
    former_log_loss: float | None = None

    def complaint(self, rules: LearnedRules) -> str | None:
        """Return what keeps the model from serving; None where nothing does."""
        if self.moved is not None and self.moved > rules.most_moved:
            return (
                f"{self.moved:.3f} of the credit would go elsewhere than under the model before; "
                f"most_moved is {rules.most_moved}"
            )
        if self.log_loss is None or self.constant_log_loss is None:
            return None
        if self.log_loss <= self.constant_log_loss:
            return None
        if self.former_log_loss is not None and self.log_loss < self.former_log_loss:
            return None  # the model before foretells that day worse still
        return (
            f"log loss {self.log_loss:.5f} on the newest day, worse than "
            f"{self.constant_log_loss:.5f} of one rate for all"
        )


def require_conversions(histories: Histories, least: int) -> None:
    """See that there are enough conversions to fit on.

    Raises
    ------
    InsufficientDataError
        If there are fewer expected conversions of known users.
    """
    found = expected_conversions(histories)
    if found < least:
        raise InsufficientDataError(
            f"{found:.1f}".removesuffix(".0")
            + f" conversions of known users; least_conversions is {least}. Wait for more "
            "days, or lower it."
        )


def expected_conversions(histories: Histories) -> float:
    """Return the conversions of histories, each as probable as it is theirs."""
    return float(histories.weights[histories.conversion_history] @ histories.probability)


def read_back(model: LearnedModel) -> tuple[LearnedModel, str]:
    """Return a model as it is read from its JSON, and that JSON.

    Raises
    ------
    ConfigError
        If it holds a number that is none, or is written otherwise once it was read.
    """
    text = model.to_json()
    json.loads(text, parse_constant=_no_number)
    again = type(model).from_json(text)
    if again.to_json() != text:
        raise ConfigError("the model is written otherwise once it was read. Report it.")
    return again, text


def judge(model: LearnedModel, histories: Histories, former: LearnedModel | None) -> Figures:
    """Return the figures of a model on the histories that it was fitted on.

    Raises
    ------
    ConfigError
        If its credit is not finite, is below 0, or is more than 1 in sum over a path.
    """
    paths = histories.paths()
    paths = paths.take(np.flatnonzero((paths.conversions > 0) & (np.diff(paths.offsets) > 0)))
    shares = _shares_of_credit(model, histories, paths)
    moved = None
    if former is not None:
        moved = float(np.abs(shares - _shares_of_credit(former, histories, paths)).sum() / 2)
    figures = _foretold(model, histories)
    former_figures = Figures() if former is None else _foretold(former, histories)
    return replace(figures, moved=moved, former_log_loss=former_figures.log_loss)


def _shares_of_credit(model: LearnedModel, histories: Histories, paths: Paths) -> Floats:
    """Return the share of credit of each channel and, last, of none."""
    credit = model.credit(paths)
    path = paths.of_touch
    sums = np.bincount(path, credit, minlength=len(paths))
    if not (np.isfinite(credit) & (credit >= 0)).all() or not (sums <= 1 + _ROUNDING).all():
        raise ConfigError("its credit is not between 0 and 1. Report it.")
    each = paths.weights * paths.conversions
    earned = np.bincount(paths.touches.channel, credit * each[path], minlength=len(paths.channels))
    whole = float(each.sum())
    return np.append(earned, whole - earned.sum()) / max(whole, _ROUNDING)


def _foretold(model: LearnedModel, histories: Histories) -> Figures:
    """Return the figures of the newest day; none where it is the only one or nobody converted."""
    begin = histories.end_us - DAY_US
    if not isinstance(model, Forecaster) or begin <= histories.start_us:
        return Figures()
    late = histories.conversion_us >= begin
    came = float(
        histories.weights[histories.conversion_history[late]] @ histories.probability[late]
    )
    if came <= 0:
        return Figures()
    expected = model.expected(histories, begin, histories.end_us)
    loss, constant = forecast_losses(expected, converted_since(histories, begin), histories.weights)
    return Figures(loss, constant, float(histories.weights @ expected) / came)


def _no_number(word: str) -> NoReturn:
    raise ConfigError(f"the model holds {word} in place of a number. Report it.")
