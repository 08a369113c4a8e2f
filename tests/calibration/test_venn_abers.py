"""Inductive Venn-Abers prediction."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression
from venn_abers import VennAbers

from calibration import venn_abers
from calibration.saving import load_calibrator
from calibration.venn_abers import VennAbersCalibrator


def _generated(seed: int, rows: int, digits: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    y_prob = np.round(generator.beta(1, 3, rows), digits)
    return generator.random(rows) < y_prob**1.5, y_prob


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 2, 9])
def test_intervals_and_probabilities_are_those_of_venn_abers(seed: int, digits: int) -> None:
    y_true, y_prob = _generated(seed, 800, digits)
    scores = np.concatenate([[0.0, 1.0], y_prob, np.random.default_rng(seed).random(500)])

    fitted = VennAbersCalibrator().fit(y_true, y_prob)
    lower, upper = fitted.predict_interval(scores)
    oracle = VennAbers()
    oracle.fit(np.stack([1 - y_prob, y_prob], axis=1), y_true)
    with np.errstate(all="ignore"):
        merged, bounds = oracle.predict_proba(np.stack([1 - scores, scores], axis=1))

    assert np.abs(lower - bounds[:, 0]).max() < 1e-12
    assert np.abs(upper - bounds[:, 1]).max() < 1e-12
    assert np.abs(fitted.predict(scores) - merged[:, 1]).max() < 1e-12


rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 8), st.floats(0.1, 4)), min_size=2, max_size=25
).filter(lambda drawn: len({happened for happened, _, _ in drawn}) == 2)


@settings(deadline=None, max_examples=30)
@given(drawn=rows, tested=st.integers(0, 16), weighted=st.booleans())
def test_the_interval_is_two_isotonic_fits_with_the_row_added(
    drawn: list[tuple[bool, int, float]], tested: int, weighted: bool
) -> None:
    happened, steps, weights = zip(*drawn, strict=True)
    scores = np.array(steps) / 8
    weight = np.array(weights) if weighted else np.ones(len(scores))

    fitted = VennAbersCalibrator().fit(happened, scores, weight=weight)
    interval = fitted.predict_interval([tested / 16])

    for outcome, bound in zip((0, 1), interval, strict=True):
        added = IsotonicRegression().fit(
            np.append(scores, tested / 16), np.append(happened, outcome), np.append(weight, 1.0)
        )
        assert bound[0] == pytest.approx(added.predict([tested / 16])[0], abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(drawn=rows)
def test_the_probability_lies_within_its_interval(drawn: list[tuple[bool, int, float]]) -> None:
    happened, steps, _ = zip(*drawn, strict=True)
    scores = np.linspace(0, 1, 33)

    fitted = VennAbersCalibrator().fit(happened, np.array(steps) / 8)
    lower, upper = fitted.predict_interval(scores)

    assert (lower < upper).all()
    assert (lower <= fitted.predict(scores)).all()
    assert (fitted.predict(scores) <= upper).all()


def test_equal_scores_differ_by_the_row_that_joins() -> None:
    fitted = VennAbersCalibrator().fit([0, 0, 1], [0.3, 0.3, 0.3])

    lower, upper = fitted.predict_interval([0.1, 0.3, 0.6])

    assert lower == pytest.approx([0, 1 / 4, 1 / 4])
    assert upper == pytest.approx([2 / 4, 2 / 4, 1])


def test_groups_of_many_scores_move_the_probability_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    y_true, y_prob = _generated(1, 20_000, 12)
    scores = np.linspace(0, y_prob.max(), 1_000)

    exact = VennAbersCalibrator().fit(y_true, y_prob).predict(scores)
    monkeypatch.setattr(venn_abers, "_SCORES", 2_000)
    grouped = VennAbersCalibrator().fit(y_true, y_prob).predict(scores)

    assert 0 < np.abs(grouped - exact).mean() < 2e-3


@pytest.mark.parametrize("seed", range(5))
def test_fractional_weights_give_probabilities_that_ascend_and_can_be_loaded(
    seed: int, tmp_path: Path
) -> None:
    generator = np.random.default_rng(seed)
    score = generator.random(2_000)
    happened = generator.random(2_000) < score
    weight = generator.gamma(0.3, 1 / 3, 2_000)

    fitted = VennAbersCalibrator().fit(happened, score, weight=weight)
    fitted.save(tmp_path / "c.json")
    lower, upper = fitted.predict_interval(np.linspace(0, 1, 500))

    assert load_calibrator(tmp_path / "c.json") == fitted
    assert ((lower >= 0) & (lower <= upper) & (upper <= 1)).all()
