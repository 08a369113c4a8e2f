"""Calibrators of few coefficients."""

import warnings
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from betacal import BetaCalibration
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from calibration.parametric import BetaCalibrator, SigmoidCalibrator, TemperatureCalibrator


class _Identity(ClassifierMixin, BaseEstimator):
    """A classifier whose decision value is its only column."""

    def fit(self, x: np.ndarray, y: np.ndarray) -> "_Identity":
        self.classes_ = np.unique(y)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0]

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0] > 0


def _oracle(
    y_true: np.ndarray, y_prob: np.ndarray, weight: np.ndarray | None, method: str
) -> np.ndarray:
    column = logit(y_prob)[:, None]
    frozen = FrozenEstimator(_Identity().fit(column, y_true))
    with warnings.catch_warnings():  # that the classifier, which learns nothing, ignores weights
        warnings.simplefilter("ignore")
        fitted = CalibratedClassifierCV(frozen, method=method).fit(column, y_true, weight)
    return fitted.predict_proba(column)[:, 1]


def _generated(seed: int, rate: float = 0.3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    scores = generator.normal(logit(rate), 1.2, 3_000)
    happened = generator.random(3_000) < expit(0.7 * scores + 0.3)
    return happened, expit(scores), generator.uniform(0.2, 3, 3_000)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rate", [0.5, 0.02])
@pytest.mark.parametrize("weighted", [False, True])
def test_sigmoid_is_that_of_scikit_learn_on_logits(seed: int, rate: float, weighted: bool) -> None:
    y_true, y_prob, weights = _generated(seed, rate)
    weight = weights if weighted else None

    predicted = SigmoidCalibrator().fit(y_true, y_prob, weight=weight).predict(y_prob)

    assert np.abs(predicted - _oracle(y_true, y_prob, weight, "sigmoid")).max() < 1e-5


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_temperature_is_that_of_scikit_learn(seed: int, weighted: bool) -> None:
    y_true, y_prob, weights = _generated(seed)
    weight = weights if weighted else None

    predicted = TemperatureCalibrator().fit(y_true, y_prob, weight=weight).predict(y_prob)
    # scikit-learn takes a decision value z as the logits (-z, z), whose difference is twice it;
    # its factor is half as large and its probabilities are the same
    expected = _oracle(y_true, y_prob, weight, "temperature")

    assert np.abs(predicted - expected).max() < 1e-5


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_beta_is_that_of_betacal(seed: int, weighted: bool) -> None:
    y_true, y_prob, weights = _generated(seed)
    weight = weights if weighted else None

    fitted = BetaCalibrator().fit(y_true, y_prob, weight=weight)
    with np.errstate(all="ignore"):
        oracle = BetaCalibration("abm").fit(y_prob, y_true, weight)

    # betacal stops its solver at a gradient of 1e-4 a row; its model is solved to the end here
    columns = np.stack([np.log(y_prob), -np.log1p(-y_prob)], axis=1)
    solved = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1_000)
    expected = solved.fit(columns, y_true, weight).predict_proba(columns)[:, 1]
    assert min(fitted.coefficients[:2]) > 0.01
    assert np.abs(fitted.predict(y_prob) - oracle.predict(y_prob)).max() < 5e-3
    assert np.abs(fitted.predict(y_prob) - expected).max() < 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_beta_reaches_the_best_likelihood_within_its_bounds(seed: int) -> None:
    generator = np.random.default_rng(seed)
    y_prob = generator.beta(0.7, 0.7, 400)
    twists = (lambda p: p, lambda p: 1 - p, lambda p: 4 * p * (1 - p), lambda p: 0.5 * p**3)
    y_true = generator.random(400) < twists[seed % 4](y_prob)

    fitted = BetaCalibrator().fit(y_true, y_prob)

    def loss(place: np.ndarray) -> float:
        score = place[0] * np.log(y_prob) - place[1] * np.log1p(-y_prob) + place[2]
        return float((np.logaddexp(0, score) - y_true * score).sum())

    best = minimize(loss, [1, 1, 0], bounds=[(0, None), (0, None), (None, None)], tol=1e-12)
    assert loss(np.array(fitted.coefficients)) <= best.fun + 1e-6
    assert min(fitted.coefficients[:2]) >= 0


@pytest.mark.parametrize("kind", [SigmoidCalibrator, BetaCalibrator, TemperatureCalibrator])
def test_a_reversed_ranking_becomes_a_constant(kind: type[SigmoidCalibrator]) -> None:
    y_prob = np.linspace(0.05, 0.95, 200)

    fitted = kind().fit(y_prob < 0.4, y_prob)

    predicted = fitted.predict(y_prob)
    assert np.ptp(predicted) < 1e-9
    rate = 0.5 if kind is TemperatureCalibrator else np.mean(y_prob < 0.4)
    assert predicted[0] == pytest.approx(rate, abs=3e-3)  # Platt's targets move it by 1/n


@pytest.mark.parametrize("kind", [SigmoidCalibrator, BetaCalibrator, TemperatureCalibrator])
def test_separated_outcomes_have_a_finite_fit(kind: type[SigmoidCalibrator]) -> None:
    y_prob = np.linspace(0.05, 0.95, 100)

    fitted = kind().fit(y_prob > 0.5, y_prob)

    low, high = fitted.predict([0.05, 0.95])
    assert max(abs(value) for value in fitted.coefficients) < 1_000
    assert 1 / 300 < low < 0.05
    assert 0.95 < high < 1 - 1 / 300


def test_equal_scores_move_only_the_level() -> None:
    y_true = np.arange(300) % 3 == 0

    sigmoid = SigmoidCalibrator().fit(y_true, np.full(300, 0.6))
    beta = BetaCalibrator().fit(y_true, np.full(300, 0.6))
    temperature = TemperatureCalibrator().fit(y_true, np.full(300, 0.5))

    assert sigmoid.coefficients[0] == 1
    assert beta.coefficients[:2] == (1, 1)
    assert temperature.coefficients == (1,)
    assert beta.predict([0.6])[0] == pytest.approx(1 / 3, abs=1e-9)


def test_an_exact_0_counts_as_the_smallest_score_that_a_sample_can_tell() -> None:
    y_true = np.arange(100) % 2 == 0
    few = np.full(100, 0.3)
    few[:10] = 0.0
    fine = np.where(few == 0, 1e-5, few)
    fine[0] = 0.0

    of_few = SigmoidCalibrator().fit(y_true, few)
    of_fine = SigmoidCalibrator().fit(y_true, fine)

    assert of_few.held[0] == pytest.approx(1 / 102)
    assert of_fine.held[0] == 1e-5
    assert of_few.predict([0.0])[0] == of_few.predict([0.001])[0]


def test_hard_scores_are_calibrated() -> None:
    y_prob = np.repeat([0.0, 1.0], 500)
    y_true = np.concatenate([np.arange(500) % 10 == 0, np.arange(500) % 5 != 0])

    for kind in (BetaCalibrator, SigmoidCalibrator):
        assert kind().fit(y_true, y_prob).predict([0.0, 1.0]) == pytest.approx([0.1, 0.8], abs=5e-3)


def test_a_symmetrical_sample_leaves_calibrated_scores_alone() -> None:
    levels = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    y_prob = np.repeat(levels, 2)
    y_true = np.tile([1, 0], 5)
    weight = np.stack([levels, 1 - levels], axis=1).ravel() * 1_000

    for kind in (BetaCalibrator, TemperatureCalibrator):
        predicted = kind().fit(y_true, y_prob, weight=weight).predict(levels)
        assert predicted == pytest.approx(levels, abs=1e-7)
        assert all(low < high for low, high in pairwise(predicted))


@pytest.mark.parametrize("calibrator", [BetaCalibrator(), SigmoidCalibrator()])
def test_tiny_scores_do_not_hide_the_likeliest_line(calibrator: Any) -> None:
    generator = np.random.default_rng(8)
    score = np.where(np.arange(4_000) % 4 == 0, 1e-20, generator.beta(1, 20, 4_000))
    happened = generator.random(4_000) < np.maximum(score, 0.01)

    fitted = calibrator.fit(happened, score)
    clipped = calibrator.fit(happened, np.maximum(score, fitted.held[0]))

    assert fitted.held[0] >= 1e-12
    np.testing.assert_allclose(fitted.coefficients, clipped.coefficients, rtol=1e-6)
    predicted = fitted.predict(score)
    assert predicted.mean() == pytest.approx(happened.mean(), rel=0.01)
