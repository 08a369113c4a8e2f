"""Corrections of the level."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.errors import InvalidSampleError
from calibration.priors import PriorCalibrator, estimate_rate

shares = st.floats(1e-6, 1 - 1e-6)


def _em(y_prob: np.ndarray, trained_rate: float, weight: np.ndarray) -> float:
    """Return the rate by the loop of Saerens, Latinne and Decaestecker, equations 2.9."""
    rate = trained_rate
    for _ in range(3_000):
        event = rate / trained_rate * y_prob
        other = (1 - rate) / (1 - trained_rate) * (1 - y_prob)
        rate = float(np.average(event / (event + other), weights=weight))
    return rate


@settings(deadline=None, max_examples=50)
@given(share=shares, kept=st.floats(1e-4, 1))
def test_sampling_is_corrected_exactly_where_it_is_known(share: float, kept: float) -> None:
    sampled = share / (share + (1 - share) * kept)

    corrected = PriorCalibrator.for_sampling(kept=kept).predict([sampled])

    assert corrected[0] == pytest.approx(share, rel=1e-9)


@settings(deadline=None, max_examples=50)
@given(trained=st.floats(1e-4, 1 - 1e-4), rate=st.floats(1e-4, 1 - 1e-4))
def test_the_old_base_rate_becomes_the_new_one_and_back(trained: float, rate: float) -> None:
    there = PriorCalibrator.for_rates(trained_rate=trained, rate=rate)
    back = PriorCalibrator.for_rates(trained_rate=rate, rate=trained)

    assert there.predict([trained])[0] == pytest.approx(rate, rel=1e-9)
    assert there.factor * back.factor == pytest.approx(1, rel=1e-9)
    assert back.predict(there.predict([0.2]))[0] == pytest.approx(0.2, rel=1e-8)


def test_sampling_is_a_change_of_the_base_rate() -> None:
    kept, rate = 0.05, 0.01
    sampled = rate / (rate + (1 - rate) * kept)
    scores = np.linspace(0.01, 0.99, 50)

    by_share = PriorCalibrator.for_sampling(kept=kept).predict(scores)
    by_rates = PriorCalibrator.for_rates(trained_rate=sampled, rate=rate).predict(scores)

    assert by_share == pytest.approx(by_rates, rel=1e-12)


def test_known_corrections_go_as_far_as_floats_go() -> None:
    corrected = PriorCalibrator.for_sampling(kept=0.1).predict([0.0, 1.0, 1e-30])

    assert 0 < corrected[0] < 1e-300
    assert 0.999 < corrected[1] < 1
    assert corrected[2] == pytest.approx(1e-31)


def test_a_fitted_level_expects_what_was_observed() -> None:
    generator = np.random.default_rng(4)
    y_prob = generator.beta(1, 4, 5_000)
    y_true = generator.random(5_000) < y_prob / (y_prob + (1 - y_prob) * 5)
    weight = generator.uniform(0, 2, 5_000)

    fitted = PriorCalibrator().fit(y_true, y_prob, weight=weight)

    # the lowest probability that the sample supports lifts a few rows a little
    assert weight @ fitted.predict(y_prob) == pytest.approx(weight @ y_true, rel=1e-6)
    assert fitted.factor == pytest.approx(0.2, rel=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_the_estimate_is_where_em_ends(seed: int) -> None:
    generator = np.random.default_rng(seed)
    y_prob = generator.beta(1, 2, 2_000)
    weight = generator.integers(0, 3, 2_000)

    estimate = estimate_rate(y_prob, trained_rate=0.25, weight=weight)

    assert estimate == pytest.approx(_em(y_prob, 0.25, weight), abs=1e-6)
    assert estimate == pytest.approx(
        estimate_rate(np.repeat(y_prob, weight), trained_rate=0.25), abs=1e-9
    )


def test_the_estimate_finds_a_base_rate_that_has_changed() -> None:
    generator = np.random.default_rng(7)
    y_true = np.concatenate([np.ones(2_000), np.zeros(18_000)])
    values = np.where(y_true == 1, generator.normal(1, 1, 20_000), generator.normal(-1, 1, 20_000))
    at_half = 1 / (1 + np.exp(-2 * values))  # the posterior of these normals at equal rates

    rate = estimate_rate(at_half, trained_rate=0.5)

    assert rate == pytest.approx(0.1, abs=0.01)
    corrected = PriorCalibrator.for_rates(trained_rate=0.5, rate=rate).predict(at_half)
    assert corrected.mean() == pytest.approx(rate, abs=1e-9)


def test_the_estimate_stays_within_what_rows_can_tell() -> None:
    assert estimate_rate(np.full(9, 0.1), trained_rate=0.5) == pytest.approx(0.05)
    assert estimate_rate(np.full(9, 0.9), trained_rate=0.5) == pytest.approx(0.95)
    assert estimate_rate([0.5], trained_rate=0.5) == 0.5
    assert estimate_rate([0.0, 1.0], trained_rate=0.5) == pytest.approx(0.5)


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, float("nan")])
def test_shares_are_checked(wrong: float) -> None:
    with pytest.raises(InvalidSampleError, match="trained_rate"):
        estimate_rate([0.5], trained_rate=wrong)
    with pytest.raises(InvalidSampleError, match="rate = "):
        PriorCalibrator.for_rates(trained_rate=0.5, rate=wrong)
    if wrong != 1.0:
        with pytest.raises(InvalidSampleError, match="kept"):
            PriorCalibrator.for_sampling(kept=wrong)
