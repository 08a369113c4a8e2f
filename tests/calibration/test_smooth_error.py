"""The smooth error integrates what a reflected Gaussian leaves; relplot does, within its steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relplot.metrics import smECE, smECE_sigma
from scipy.stats import norm

from calibration.errors import CalibrationError
from calibration.smooth_error import CELLS, smooth_calibration_error, smooth_errors

SEEDS = range(4)


def sample_of(seed: int, size: int = 2_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = generator.beta(1, 2, size)
    happened = generator.random(size) < probability ** (0.5 + seed / 2)
    return happened, probability, generator.exponential(size=size)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bandwidth", [0.01, 0.05, 0.15])
def test_error_at_a_bandwidth_agrees_with_relplot(seed: int, bandwidth: float) -> None:
    # relplot integrates over 200 points and reflects once, hence the tolerance
    happened, probability, _ = sample_of(seed)

    error = smooth_calibration_error(happened, probability, bandwidth=bandwidth)

    told = smECE_sigma(probability, happened.astype(float), bandwidth)
    assert error == pytest.approx(told, abs=2e-3)


@pytest.mark.parametrize("seed", SEEDS)
def test_error_agrees_with_relplot(seed: int) -> None:
    # relplot halves the bandwidth's range ten times, so it knows it to a thousandth
    happened, probability, _ = sample_of(seed)

    error = smooth_calibration_error(happened, probability)

    assert error == pytest.approx(smECE(probability, happened.astype(float)), abs=2e-3)


@pytest.mark.parametrize("bandwidth", [0.02, 0.3, 0.9])
def test_error_is_the_integral_of_the_reflected_gaussian(bandwidth: float) -> None:
    happened, probability, weight = sample_of(1, 60)
    at = np.linspace(0, 1, 20_001)
    smoothed = np.zeros_like(at)
    for centre, mass in zip(probability, weight * (probability - happened), strict=True):
        for image in range(-6, 7):
            smoothed += mass * norm.pdf(at, 2 * image + centre, bandwidth)
            smoothed += mass * norm.pdf(at, 2 * image - centre, bandwidth)

    error = smooth_calibration_error(happened, probability, weight=weight, bandwidth=bandwidth)

    integral = np.trapezoid(np.abs(smoothed), at) / weight.sum()
    assert error == pytest.approx(integral, rel=1e-3)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1_000), size=st.integers(1, 200))
def test_the_error_is_where_error_and_bandwidth_meet(seed: int, size: int) -> None:
    happened, probability, weight = sample_of(seed % 4, size)

    error = smooth_calibration_error(happened, probability, weight=weight)

    there = smooth_calibration_error(happened, probability, weight=weight, bandwidth=error)
    assert there == pytest.approx(error, abs=1e-6)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 1_000), narrow=st.floats(0.005, 0.5), factor=st.floats(1, 4))
def test_a_wider_bandwidth_never_raises_the_error(seed: int, narrow: float, factor: float) -> None:
    happened, probability, _ = sample_of(seed % 4, 300)

    near = smooth_calibration_error(happened, probability, bandwidth=narrow)
    far = smooth_calibration_error(happened, probability, bandwidth=narrow * factor)

    assert far <= near + 1e-4
    assert far >= abs(np.mean(probability - happened)) - 1e-4


def test_many_samples_at_once_are_each_alone() -> None:
    laid = np.random.default_rng(1).normal(size=(20, 129)) / 500

    together = smooth_errors(laid)

    np.testing.assert_allclose(
        together, [smooth_errors(row[None, :])[0] for row in laid], atol=1e-7
    )


def test_edge_cases_have_results() -> None:
    assert smooth_calibration_error([1], [0.75]) == pytest.approx(0.25, abs=1e-4)
    assert smooth_calibration_error([0, 0], [0.5, 0.5]) == pytest.approx(0.5, abs=1e-4)
    assert smooth_calibration_error([0, 1, 1], [0.0, 1.0, 1.0]) == 0


def test_a_bandwidth_below_the_grid_is_refused() -> None:
    with pytest.raises(CalibrationError, match="bandwidth"):
        smooth_calibration_error([0, 1], [0.2, 0.7], bandwidth=0.5 / CELLS)
