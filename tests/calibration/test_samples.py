"""Samples: what is taken, and what is refused with a mend."""

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from calibration.binned_errors import expected_calibration_error
from calibration.calibrators import HistogramCalibrator, IsotonicCalibrator
from calibration.errors import InvalidSampleError
from calibration.frames import require_columns
from calibration.metrics import brier_score, calibration_ratio, log_loss
from calibration.parametric import BetaCalibrator, SigmoidCalibrator
from calibration.samples import Sample
from calibration.venn_abers import VennAbersCalibrator

HALVES = [0.5, 0.5]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (([1, 0], np.array([1, 2], "m8[s]")), "y_prob holds times or durations: give numbers in"),
        (([1, 0], pl.Series([timedelta(1)] * 2)), "dt.total_seconds"),
        (([1, 0], [timedelta(1)] * 2), "dt.total_seconds"),
        ((np.array([1, 0], "m8[s]"), HALVES), "y_true holds times"),
        (([1, 0], HALVES, np.array([1, 2], "M8[D]")), "weight holds times"),
        (([1, 0], np.array(HALVES) + 0j), "complex"),
        ((np.ma.array([1, 0], mask=[True, False]), HALVES), "y_true: 1 of 2 values are masked"),
        (([1, 0], np.ma.array(HALVES, mask=[False, True])), "y_prob: 1 of 2 values are masked"),
        (([1, 0], HALVES, [1e51, 1.0]), "give weights from 0 to 1e.50"),
        (([1, 0], HALVES, [1e-51, 0.0]), "none is above 1e-50"),
        (([[1, 0], [1]], HALVES), "y_true is no vector"),
    ],
)
def test_what_is_no_sample_is_refused(columns: tuple[Any, ...], told: str) -> None:
    with pytest.raises(InvalidSampleError, match=told):
        Sample.of(*columns)


def test_an_array_that_masks_nothing_is_an_array() -> None:
    assert Sample.of(np.ma.array([1, 0], mask=[False, False]), HALVES).events == 1


@pytest.mark.parametrize("frame", [{"a": [1]}, None, pl.LazyFrame({"a": [1]})])
def test_what_is_no_frame_is_refused(frame: Any) -> None:
    with pytest.raises(InvalidSampleError, match=r"give a polars DataFrame|collect it"):
        require_columns(frame, ["a"])


@pytest.mark.parametrize("scale", [1e-45, 1e40])
@pytest.mark.parametrize(
    "metric", [calibration_ratio, log_loss, brier_score, expected_calibration_error]
)
def test_figures_do_not_depend_on_the_scale_of_weights(metric: Any, scale: float) -> None:
    generator = np.random.default_rng(2)
    score, weight = generator.random(300), generator.random(300)
    happened = generator.random(300) < score

    scaled = metric(happened, score, weight=weight * scale)

    assert scaled == pytest.approx(metric(happened, score, weight=weight), rel=1e-9)


@pytest.mark.parametrize("scale", [1e-45, 1.0, 1e45])
@pytest.mark.parametrize(
    "calibrator",
    [
        BetaCalibrator(),
        HistogramCalibrator(),
        IsotonicCalibrator(),
        SigmoidCalibrator(),
        VennAbersCalibrator(),
    ],
    ids=lambda item: item.kind,
)
def test_calibrators_of_any_weights_stay_between_0_and_1(calibrator: Any, scale: float) -> None:
    generator = np.random.default_rng(3)
    score = generator.random(300)
    happened = generator.random(300) < score
    weight = scale * np.where(generator.random(300) < 0.5, 1e-14, generator.random(300))

    fitted = calibrator.fit(happened, score, weight=weight)
    predicted = fitted.predict(np.linspace(0, 1, 50))

    assert predicted.min() > 0
    assert predicted.max() < 1
    assert fitted.is_consistent()
