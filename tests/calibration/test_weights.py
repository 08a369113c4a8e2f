"""What weights mean is the same of every figure: so many rows, and nothing else."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binned_errors import (
    Binning,
    adaptive_calibration_error,
    expected_calibration_error,
    maximum_calibration_error,
)
from calibration.brier import brier_decomposition
from calibration.errors import InsufficientDataError
from calibration.field_errors import field_calibration_error
from calibration.metrics import brier_score, calibration_ratio, log_loss, normalised_entropy
from calibration.recalibration import calibration_in_the_large, logistic_recalibration
from calibration.smooth_error import smooth_calibration_error


def by_field(y_true: Any, y_prob: Any, *, weight: Any = None) -> list[float]:
    frame = pl.DataFrame({"y_true": y_true, "y_prob": y_prob})
    frame = frame.with_columns(pl.col("y_prob").mul(4).floor().alias("quarter"))
    if weight is not None:
        frame = frame.with_columns(weight=pl.Series(weight))
    name = None if weight is None else "weight"
    errors = field_calibration_error(frame, by="quarter", weight=name)
    return [errors.expected, errors.relative]


def by_parts(*sample: Any, weight: Any = None, **options: Any) -> list[float]:
    parts = brier_decomposition(*sample, weight=weight, **options)
    return [parts.reliability, parts.resolution, parts.uncertainty, parts.score]


def by_line(*sample: Any, weight: Any = None) -> list[float]:
    line = logistic_recalibration(*sample, weight=weight)
    return [line.intercept, line.slope]


def by_line_errors(*sample: Any, weight: Any = None) -> list[float]:
    line = logistic_recalibration(*sample, weight=weight)
    return [line.intercept_error, line.slope_error]


def in_the_large(*sample: Any, weight: Any = None) -> float:
    return calibration_in_the_large(*sample, weight=weight).intercept


def worst(*sample: Any, weight: Any = None, **options: Any) -> float:
    return float(maximum_calibration_error(*sample, weight=weight, **options))


FREE_OF_SCALE: dict[str, Callable[..., Any]] = {
    "calibration_ratio": calibration_ratio,
    "log_loss": log_loss,
    "normalised_entropy": normalised_entropy,
    "brier_score": brier_score,
    "isotonic_parts": by_parts,
    "binned_parts": partial(by_parts, by=4),
    "expected": expected_calibration_error,
    "adaptive": partial(adaptive_calibration_error, bins=3),
    "maximum": partial(worst, bins=4),
    "maximum_by_mass": partial(worst, bins=3, binning=Binning.EQUAL_MASS),
    "smooth": smooth_calibration_error,
    "smooth_at_bandwidth": partial(smooth_calibration_error, bandwidth=0.1),
    "line": by_line,
    "in_the_large": in_the_large,
    "field": by_field,
}
COUNTS_OF_ROWS: dict[str, Callable[..., Any]] = {
    "expected_debiased": partial(expected_calibration_error, bins=4, debiased=True),
    "adaptive_debiased": partial(adaptive_calibration_error, bins=3, debiased=True),
    "maximum_debiased": partial(worst, bins=4, debiased=True),
    "binned_parts_debiased": partial(by_parts, by=3, debiased=True),
    "line_errors": by_line_errors,
}
EVERY = FREE_OF_SCALE | COUNTS_OF_ROWS
PROBABILITIES = st.sampled_from([0.03, 0.2, 0.2499, 0.5, 0.75, 0.9]) | st.floats(0.01, 0.99)
ROWS = st.lists(
    st.tuples(st.booleans(), PROBABILITIES, st.integers(0, 3)), min_size=2, max_size=25
).filter(lambda rows: any(weight for _, _, weight in rows))


def columns(rows: list[tuple[bool, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    happened, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    return happened, probability, weight


def value_of(figure: Callable[..., Any], *sample: Any, weight: Any = None) -> np.ndarray:
    try:
        return np.asarray(figure(*sample, weight=weight))
    except InsufficientDataError:
        return np.array(np.nan)


@pytest.mark.parametrize("name", EVERY)
@settings(deadline=None, max_examples=12)
@given(rows=ROWS)
def test_a_row_of_weight_k_counts_as_k_rows_and_of_weight_0_as_none(
    name: str, rows: list[tuple[bool, float, int]]
) -> None:
    happened, probability, weight = columns(rows)

    weighted = value_of(EVERY[name], happened, probability, weight=weight)

    repeated = value_of(EVERY[name], np.repeat(happened, weight), np.repeat(probability, weight))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", FREE_OF_SCALE)
@settings(deadline=None, max_examples=8)
@given(rows=ROWS, scale=st.floats(1e-3, 1e3))
def test_scaling_all_weights_changes_nothing(
    name: str, rows: list[tuple[bool, float, int]], scale: float
) -> None:
    happened, probability, weight = columns(rows)

    plain = value_of(EVERY[name], happened, probability, weight=weight)
    scaled = value_of(EVERY[name], happened, probability, weight=weight * scale)

    np.testing.assert_allclose(scaled, plain, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", EVERY)
@settings(deadline=None, max_examples=6)
@given(rows=ROWS, seed=st.integers(0, 1_000))
def test_no_figure_depends_on_the_order_of_rows(
    name: str, rows: list[tuple[bool, float, int]], seed: int
) -> None:
    happened, probability, weight = columns(rows)
    order = np.random.default_rng(seed).permutation(len(rows))

    plain = value_of(EVERY[name], happened, probability, weight=weight)
    other = value_of(EVERY[name], happened[order], probability[order], weight=weight[order])

    np.testing.assert_allclose(other, plain, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", EVERY)
def test_lists_and_series_give_what_arrays_give(name: str) -> None:
    happened, probability = [0, 1, 0, 1, 1, 0], [0.1, 0.2, 0.4, 0.3, 0.9, 0.95]

    arrays = value_of(EVERY[name], np.array(happened), np.array(probability))

    np.testing.assert_array_equal(value_of(EVERY[name], happened, probability), arrays)
    series = value_of(EVERY[name], pl.Series(happened), pl.Series(probability))
    np.testing.assert_array_equal(series, arrays)
