"""The plain figures agree with scikit-learn and mcgrad, and refuse what has no value."""

import numpy as np
import pytest
import sklearn.metrics
from mcgrad import metrics as mcgrad

from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.metrics import brier_score, calibration_ratio, log_loss, normalised_entropy

SEEDS = range(5)
Sample = tuple[np.ndarray, np.ndarray, np.ndarray]


def sample_of(seed: int, size: int = 3_000) -> Sample:
    generator = np.random.default_rng(seed)
    probability = generator.beta(0.5, 4, size)
    happened = (generator.random(size) < probability**0.8).astype(np.int8)
    return happened, probability, generator.exponential(size=size)


@pytest.mark.parametrize("seed", SEEDS)
def test_calibration_ratio_agrees_with_mcgrad(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    ratio = calibration_ratio(happened, probability, weight=weight)

    assert ratio == pytest.approx(
        mcgrad.calibration_ratio(happened, probability, weight), rel=1e-12
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_log_loss_agrees_with_scikit_learn_exact_certainties_included(seed: int) -> None:
    happened, probability, weight = sample_of(seed)
    probability = np.where(probability < 0.001, 0.0, np.where(probability > 0.7, 1.0, probability))

    loss = log_loss(happened, probability, weight=weight)

    told = sklearn.metrics.log_loss(happened, probability, sample_weight=weight)
    assert loss == pytest.approx(told, rel=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_normalised_entropy_agrees_with_mcgrad(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    entropy = normalised_entropy(happened, probability, weight=weight)

    # mcgrad keeps the base rate in the type of the labels' copy, 32 bits: hence the tolerance
    told = mcgrad.normalized_entropy(happened.astype(float), probability, weight)
    assert entropy == pytest.approx(told, rel=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_brier_score_agrees_with_scikit_learn(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    score = brier_score(happened, probability, weight=weight)

    told = sklearn.metrics.brier_score_loss(happened, probability, sample_weight=weight)
    assert score == pytest.approx(told, rel=1e-12)


def test_ratio_without_events_has_no_value() -> None:
    with pytest.raises(InsufficientDataError, match="no event happened"):
        calibration_ratio([0, 0, 1], [0.1, 0.2, 0.3], weight=[1, 1, 0])


@pytest.mark.parametrize("happened", [[0, 0, 0], [1, 1, 1]])
def test_entropy_of_one_class_has_no_value(happened: list[int]) -> None:
    with pytest.raises(InsufficientDataError, match="all outcomes are the same"):
        normalised_entropy(happened, [0.1, 0.2, 0.3])


def test_entropy_of_the_base_rate_is_1() -> None:
    assert normalised_entropy([0, 1, 0, 0], [0.25] * 4) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize("happened", [0, 1])
def test_one_row_of_one_class_has_a_loss_and_a_score(happened: int) -> None:
    assert log_loss([happened], [0.5]) == pytest.approx(np.log(2))
    assert brier_score([happened], [0.5]) == 0.25


def test_a_wrong_certainty_costs_36_nats() -> None:
    assert log_loss([1], [0.0]) == pytest.approx(36.04, abs=0.01)


@pytest.mark.parametrize("figure", [calibration_ratio, log_loss, normalised_entropy, brier_score])
@pytest.mark.parametrize(
    ("happened", "probability", "weight", "told"),
    [
        ([0, 1], [0.5, np.nan], None, "y_prob"),
        ([0, 1], [0.5, 1.5], None, "y_prob"),
        ([0, 2], [0.5, 0.5], None, "y_true"),
        ([0, 1], [0.5, 0.5], [1, -1], "weight"),
        ([0, 1], [0.5, 0.5], [0, 0], "weight"),
        ([], [], None, "empty"),
        ([0, 1], [0.5], None, "shapes"),
    ],
)
def test_samples_that_cannot_be_are_refused_by_name(
    figure, happened: list, probability: list, weight: list | None, told: str
) -> None:
    with pytest.raises(InvalidSampleError, match=told):
        figure(happened, probability, weight=weight)


@pytest.mark.parametrize(
    ("outcomes", "told"),
    [
        ([0, 2, 3], "2 of 3 values are neither 0 nor 1, first 2 in row 1; give 1 where"),
        ([0.0, 1.0, np.nan], "1 of 3 values are neither 0 nor 1, first nan in row 2; give 1 where"),
        (["a", "b", "c"], "3 of 3 values are neither 0 nor 1, first a in row 0; give 1 where"),
    ],
)
def test_outcomes_that_are_none_are_told_with_the_mend(outcomes: list, told: str) -> None:
    with pytest.raises(InvalidSampleError, match=told):
        brier_score(outcomes, [0.1, 0.2, 0.3])
