"""The line is scikit-learn's likeliest, its errors the information's; certainties are told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from calibration.errors import InsufficientDataError
from calibration.recalibration import calibration_in_the_large, logistic_recalibration

SEEDS = range(5)


def sample_of(
    seed: int, size: int = 2_000, *, intercept: float = -0.3, slope: float = 0.7
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = generator.beta(1, 4, size)
    happened = generator.random(size) < expit(intercept + slope * logit(probability))
    return happened, probability, generator.exponential(size=size)


@pytest.mark.parametrize("seed", SEEDS)
def test_line_agrees_with_scikit_learn(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    line = logistic_recalibration(happened, probability, weight=weight)

    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-10)
    model.fit(logit(probability)[:, None], happened, sample_weight=weight)
    assert line.intercept == pytest.approx(model.intercept_[0], abs=1e-6)
    assert line.slope == pytest.approx(model.coef_[0, 0], abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_standard_errors_are_those_of_the_information(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    line = logistic_recalibration(happened, probability, weight=weight)

    design = np.column_stack((np.ones(len(probability)), logit(probability)))
    rate = expit(design @ [line.intercept, line.slope])
    inverse = np.linalg.inv(design.T @ (design * (weight * rate * (1 - rate))[:, None]))
    told = np.sqrt(np.diag(inverse))
    assert (line.intercept_error, line.slope_error) == pytest.approx(told, rel=1e-8)


def test_lines_and_their_errors_recover_what_was_drawn() -> None:
    lines = [logistic_recalibration(*sample_of(seed)[:2]) for seed in range(100)]

    for name, truth in (("intercept", -0.3), ("slope", 0.7)):
        values = np.array([getattr(line, name) for line in lines])
        errors = np.array([getattr(line, f"{name}_error") for line in lines])
        assert abs(values.mean() - truth) < 4 * values.std() / 10
        assert errors.mean() == pytest.approx(values.std(), rel=0.25)


@pytest.mark.parametrize("seed", SEEDS)
def test_in_the_large_makes_expected_and_observed_equal(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    whole = calibration_in_the_large(happened, probability, weight=weight)

    expected = expit(whole.intercept + logit(probability))
    assert weight @ expected == pytest.approx(weight @ happened, rel=1e-9)
    assert (whole.slope, whole.slope_error) == (1, 0)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), by=st.floats(-3, 3), factor=st.floats(0.3, 3))
def test_moving_the_logits_moves_the_line(seed: int, by: float, factor: float) -> None:
    happened, probability, _ = sample_of(seed, 200)
    line = logistic_recalibration(happened, probability)

    moved = logistic_recalibration(happened, expit(by + factor * logit(probability)))

    assert moved.slope == pytest.approx(line.slope / factor, rel=1e-5)
    assert moved.intercept == pytest.approx(line.intercept - by * moved.slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("figure", [logistic_recalibration, calibration_in_the_large])
def test_right_certainties_count_as_the_limit_of_near_certainties(figure) -> None:
    happened, probability, _ = sample_of(1, 400)
    ends = np.array([0, 0, 1]), np.array([0.0, 0.0, 1.0])

    with_ends = figure(np.append(happened, ends[0]), np.append(probability, ends[1]))

    near = figure(np.append(happened, ends[0]), np.append(probability, np.abs(ends[1] - 1e-14)))
    plain = figure(happened, probability)
    assert with_ends == plain
    assert near.intercept == pytest.approx(plain.intercept, abs=1e-6)
    assert near.slope == pytest.approx(plain.slope, abs=1e-6)


@pytest.mark.parametrize("figure", [logistic_recalibration, calibration_in_the_large])
def test_wrong_certainties_are_told_unless_they_weigh_nothing(figure) -> None:
    happened, probability, _ = sample_of(1, 400)
    happened, probability = np.append(happened, True), np.append(probability, 0.0)
    weight = np.append(np.ones(400), 0.0)

    with pytest.raises(InsufficientDataError, match="1 of 401 are exactly 0 or 1 and wrong"):
        figure(happened, probability)
    assert figure(happened, probability, weight=weight) == figure(happened[:-1], probability[:-1])


@pytest.mark.parametrize(
    ("happened", "probability", "told"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.3, 0.4], "parts events"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.2, 0.4], "parts events"),
        ([0, 1, 1, 0], [0.2] * 4, "no slope"),
        ([0, 0, 0], [0.1, 0.2, 0.3], "all outcomes are the same"),
        ([1], [0.5], "all outcomes are the same"),
        ([0, 1], [0.0, 1.0], "all outcomes are the same"),
    ],
)
def test_samples_without_a_likeliest_line_are_told(
    happened: list[int], probability: list[float], told: str
) -> None:
    with pytest.raises(InsufficientDataError, match=told):
        logistic_recalibration(happened, probability)


def test_in_the_large_needs_no_spread_of_probabilities() -> None:
    whole = calibration_in_the_large([0, 0, 0, 1], [0.5] * 4)

    assert whole.intercept == pytest.approx(logit(0.25))
    with pytest.raises(InsufficientDataError, match="all outcomes are the same"):
        calibration_in_the_large([1, 1], [0.3, 0.4])
