"""Binned errors agree with mcgrad where definitions do, keep ties together, and know their bias."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcgrad import metrics as mcgrad

from calibration.binned_errors import (
    Binning,
    adaptive_calibration_error,
    bin_sums,
    expected_calibration_error,
    maximum_calibration_error,
)
from calibration.errors import CalibrationError, InsufficientDataError
from calibration.samples import Sample

SEEDS = range(5)


def sample_of(
    seed: int, size: int = 3_000, *, power: float = 0.8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = generator.beta(1, 3, size)
    happened = generator.random(size) < probability**power
    return happened, probability, generator.exponential(size=size)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bins", [1, 7, 40])
def test_expected_error_agrees_with_mcgrad(seed: int, bins: int) -> None:
    happened, probability, weight = sample_of(seed)
    probability[:2] = 0, 1  # mcgrad's bins reach from the lowest probability to the highest

    error = expected_calibration_error(happened, probability, weight=weight, bins=bins)

    told = mcgrad.expected_calibration_error(happened, probability, weight, num_bins=bins)
    assert error == pytest.approx(told, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_adaptive_error_agrees_with_mcgrad_without_ties_and_weights(seed: int) -> None:
    # mcgrad takes the edges from unweighted percentiles, whatever the weights, and cuts ties there
    happened, probability, _ = sample_of(seed)

    error = adaptive_calibration_error(happened, probability, bins=20)

    told = mcgrad.adaptive_calibration_error(happened, probability, num_bins=20)
    assert error == pytest.approx(told, abs=1e-3)


@settings(deadline=None, max_examples=40)
@given(
    probability=st.lists(st.sampled_from([0.1, 0.2, 0.3, 0.4]), min_size=1, max_size=40),
    bins=st.integers(1, 8),
)
def test_rows_of_equal_probability_share_a_bin(probability: list[float], bins: int) -> None:
    sample = Sample.of(np.zeros(len(probability)), probability)

    binned = bin_sums(sample, bins, Binning.EQUAL_MASS)

    assert (binned.low[1:] > binned.high[:-1]).all()
    inside = [
        ((sample.probability >= low) & (sample.probability <= high)).sum()
        for low, high in zip(binned.low, binned.high, strict=True)
    ]
    np.testing.assert_array_equal(inside, binned.weight)


def test_bins_of_equal_mass_are_of_equal_mass_without_ties() -> None:
    sample = Sample.of(np.zeros(900), np.random.default_rng(1).random(900))

    binned = bin_sums(sample, 9, Binning.EQUAL_MASS)

    np.testing.assert_array_equal(binned.weight, np.full(9, 100))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), bins=st.integers(1, 30))
def test_errors_lie_between_the_whole_gap_and_the_maximum(seed: int, bins: int) -> None:
    happened, probability, weight = sample_of(seed, 200)
    whole = abs(np.average(probability - happened, weights=weight))

    for binning, figure in (
        (Binning.EQUAL_WIDTH, expected_calibration_error),
        (Binning.EQUAL_MASS, adaptive_calibration_error),
    ):
        mean = figure(happened, probability, weight=weight, bins=bins)
        highest = maximum_calibration_error(
            happened, probability, weight=weight, bins=bins, binning=binning, least_share=0
        )
        assert whole - 1e-12 <= mean <= highest.value + 1e-12
        assert highest.excluded == ()


def test_maximum_names_its_bin_and_those_it_left_out() -> None:
    happened = np.repeat([0, 1, 0], [100, 100, 1])
    probability = np.repeat([0.15, 0.45, 0.95], [100, 100, 1])

    worst = maximum_calibration_error(happened, probability, bins=10, least_share=0.01)

    assert worst.value == pytest.approx(0.55)
    assert (worst.low, worst.high) == (0.4, 0.5)
    assert worst.excluded == ((0.9, 1.0),)
    assert float(worst) == worst.value


def test_maximum_of_bins_that_are_all_light_has_no_value() -> None:
    with pytest.raises(InsufficientDataError, match="least_share"):
        maximum_calibration_error([0, 1], [0.1, 0.9], least_share=0.6)


@pytest.mark.parametrize("binning", Binning)
def test_debiased_errors_are_nearer_to_the_truth(binning: Binning) -> None:
    figure = {
        Binning.EQUAL_WIDTH: expected_calibration_error,
        Binning.EQUAL_MASS: adaptive_calibration_error,
    }[binning]
    samples = [sample_of(seed, 500, power=1) for seed in range(40)]  # calibrated: truth is 0

    plain = np.mean([figure(y, p) for y, p, _ in samples])
    debiased = np.mean([figure(y, p, debiased=True) for y, p, _ in samples])
    highest = np.mean(
        [float(maximum_calibration_error(y, p, binning=binning)) for y, p, _ in samples]
    )
    lower = np.mean(
        [
            float(maximum_calibration_error(y, p, binning=binning, debiased=True))
            for y, p, _ in samples
        ]
    )

    assert 0 <= debiased < 0.75 * plain
    assert 0 <= lower < 0.75 * highest


def test_debiasing_leaves_large_samples_as_they_are() -> None:
    happened, probability, _ = sample_of(1, 200_000, power=0.4)

    plain = expected_calibration_error(happened, probability)

    debiased = expected_calibration_error(happened, probability, debiased=True)
    assert debiased == pytest.approx(plain, rel=1e-3)


def test_one_row_one_class_and_equal_probabilities_have_errors() -> None:
    assert expected_calibration_error([1], [0.75]) == pytest.approx(0.25)
    assert adaptive_calibration_error([1], [0.75]) == pytest.approx(0.25)
    assert float(maximum_calibration_error([1], [0.75])) == pytest.approx(0.25)
    assert adaptive_calibration_error([0, 0, 0], [0.1, 0.2, 0.6]) == pytest.approx(0.3)
    assert adaptive_calibration_error([0, 1, 1, 0], [0.25] * 4) == pytest.approx(0.25)


def test_a_bin_without_events_does_not_know_its_rate_exactly() -> None:
    assert expected_calibration_error([0] * 20, [0.01] * 20, debiased=True) < 0.01


@pytest.mark.parametrize("bins", [0, -3])
def test_no_bins_are_refused(bins: int) -> None:
    for figure in (expected_calibration_error, adaptive_calibration_error):
        with pytest.raises(CalibrationError, match="at least 1"):
            figure([0, 1], [0.5, 0.5], bins=bins)
