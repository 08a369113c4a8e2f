"""Options of the public functions: what each may be, wherever it is given."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from calibration.bands import confidence_band, consistency_band
from calibration.binned_errors import (
    Binning,
    expected_calibration_error,
    maximum_calibration_error,
)
from calibration.constructions import Construction
from calibration.cross_fitting import cross_fit
from calibration.curves import binned_curve, score_histogram
from calibration.delays import DelayMethod, delay_curve
from calibration.errors import CalibrationError
from calibration.intervals import bootstrap
from calibration.metrics import log_loss
from calibration.options import require_choice
from calibration.parametric import SigmoidCalibrator
from calibration.segments import Correction, calibration_by

SCORE = np.linspace(0.01, 0.99, 200) ** 3
HAPPENED = np.random.default_rng(1).random(200) < SCORE
ROWS = (HAPPENED, SCORE)
FRAME = pl.DataFrame({"y_true": HAPPENED, "y_prob": SCORE, "part": np.arange(200) % 4})
EVENTS = pl.DataFrame({"event_time": np.arange(50.0)}).with_columns(
    arrival_time=pl.col("event_time") + pl.col("event_time") % 7
)


@pytest.mark.parametrize("text", ["equal mass", "equal_mass", "EQUAL_MASS", Binning.EQUAL_MASS])
def test_a_choice_may_be_given_as_its_text_or_its_name(text: str) -> None:
    assert require_choice(Binning, text, "binning") is Binning.EQUAL_MASS


@pytest.mark.parametrize(
    ("choice", "ask"),
    [
        (Binning.EQUAL_MASS, lambda choice: binned_curve(*ROWS, binning=choice)),
        (Binning.EQUAL_MASS, lambda choice: maximum_calibration_error(*ROWS, binning=choice)),
        (
            Correction.BENJAMINI_YEKUTIELI,
            lambda choice: calibration_by(FRAME, ["part"], correction=choice),
        ),
        (
            DelayMethod.MATURED_COHORTS,
            lambda choice: delay_curve(EVENTS, now=50.0, horizon=10.0, method=choice).frame,
        ),
        (
            Construction.PIVOTAL,
            lambda choice: bootstrap(log_loss, *ROWS, repetitions=100, construction=choice),
        ),
    ],
)
def test_text_asks_for_what_the_member_does(choice: Any, ask: Callable[[Any], Any]) -> None:
    asked, meant = ask(str(choice.value)), ask(choice)

    assert asked.equals(meant) if isinstance(asked, pl.DataFrame) else asked == meant


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda: binned_curve(*ROWS, binning="mass"), "binning = 'mass': give one of"),
        (lambda: calibration_by(FRAME, "part", correction="x"), "correction = 'x'"),
        (lambda: delay_curve(EVENTS, now=50.0, method="x"), "method = 'x'"),
        (lambda: bootstrap(log_loss, *ROWS, construction="x"), "construction = 'x'"),
        (lambda: expected_calibration_error(*ROWS, bins=2.5), "bins = 2.5: give a whole"),
        (lambda: expected_calibration_error(*ROWS, bins=float("nan")), "bins = nan"),
        (lambda: binned_curve(*ROWS, bins=float("inf")), "bins = inf"),
        (lambda: score_histogram(*ROWS, bins=True), "bins = True"),
        (lambda: confidence_band(*ROWS, level=1.0), "level = 1.0: give a share"),
        (lambda: binned_curve(*ROWS, level="0.9"), "level = '0.9'"),
        (lambda: consistency_band(*ROWS, resamples=0), "resamples = 0"),
        (lambda: consistency_band(*ROWS, seed=-1), "seed = -1"),
        (lambda: bootstrap(log_loss, *ROWS, seed=1.5), "seed = 1.5"),
        (lambda: bootstrap(log_loss, *ROWS, repetitions=99), "repetitions = 99"),
        (lambda: cross_fit(SigmoidCalibrator(), *ROWS, seed=1, folds=1), "folds = 1"),
        (lambda: cross_fit(SigmoidCalibrator, *ROWS, seed=1), "is a class"),
        (lambda: bootstrap("ece", *ROWS), "give a function"),
        (lambda: calibration_by(FRAME, "part", min_weight=-1), "min_weight = -1"),
    ],
)
def test_what_an_option_cannot_be_is_refused(ask: Callable[[], object], told: str) -> None:
    with pytest.raises(CalibrationError, match=told):
        ask()


def test_numbers_of_numpy_are_whole_numbers_too() -> None:
    bins = np.int64(5)

    assert expected_calibration_error(*ROWS, bins=bins) == expected_calibration_error(*ROWS, bins=5)
    assert score_histogram(*ROWS, bins=bins).equals(score_histogram(*ROWS, bins=5))
    assert len(confidence_band(*ROWS, points=np.int16(7))) == 7
