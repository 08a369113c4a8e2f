"""Laws of shrinking noisy figures."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal

from attribution.holdouts.shrinkage import shrink


def test_exact_figures_stay_what_they_are() -> None:
    observed = np.array([1.0, 4.0, -2.0])

    shrunk = shrink(observed, np.full(3, 1e-18))

    np.testing.assert_allclose(shrunk.mean, observed, atol=1e-9)
    np.testing.assert_allclose(shrunk.error, 0, atol=1e-8)


def test_figures_that_say_nothing_become_the_common_level() -> None:
    shrunk = shrink(np.array([1.0, 4.0, -2.0]), np.full(3, 1e12))

    np.testing.assert_allclose(shrunk.mean, 1.0, atol=1e-4)


def test_what_was_not_observed_is_like_its_likes() -> None:
    observed = np.array([1.0, 1.1, 0.9, 3.0, 3.1, 2.9, 0.0, 0.0])
    variance = np.array([0.01] * 6 + [np.inf] * 2)
    trait = np.array([0, 0, 0, 1, 1, 1, 0, 1])

    alike = shrink(observed, variance, traits=[trait])
    apart = shrink(observed, variance)

    assert alike.mean[6] == pytest.approx(1.0, abs=0.35)
    assert alike.mean[7] == pytest.approx(3.0, abs=0.35)
    assert apart.mean[6] == pytest.approx(apart.mean[7])
    assert alike.error[6] < apart.error[6]


def test_for_one_spread_the_answer_is_the_conditional_mean_of_a_normal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    observed, noise, trait = (
        np.array([1.0, 2.0, 4.0]),
        np.array([0.5, 1.0, 0.2]),
        np.array([0, 0, 1]),
    )
    # one spread of 1, and the half of it the trait's, the half the groups' own
    monkeypatch.setattr("attribution.holdouts.shrinkage._SPREADS", 1)
    monkeypatch.setattr("attribution.holdouts.shrinkage._splits", lambda _: np.array([[0.5, 0.5]]))

    shrunk = shrink(observed, noise, traits=[trait], typical=1.0)

    flat = 1e8
    true = 0.5 * np.eye(3) + 0.5 * (trait[:, None] == trait) + flat
    gain = true @ np.linalg.inv(true + np.diag(noise))
    np.testing.assert_allclose(shrunk.mean, gain @ observed, rtol=1e-5)
    np.testing.assert_allclose(shrunk.error**2, np.diag(gain @ np.diag(noise)), rtol=1e-4)


def test_spreads_are_weighed_by_their_marginal_likelihood(monkeypatch: pytest.MonkeyPatch) -> None:
    observed, noise = np.array([0.0, 1.0, 4.0, 2.5]), np.array([0.5, 1.0, 0.2, 0.3])
    # spreads of tan 22.5 and 67.5 degrees
    monkeypatch.setattr("attribution.holdouts.shrinkage._SPREADS", 2)

    shrunk = shrink(observed, noise, typical=1.0)

    spreads = np.tan(np.pi / 8 * np.array([1, 3]))
    flat = 1e7  # wide enough that the level is free
    likelihood = [
        multivariate_normal.pdf(observed, np.zeros(4), np.diag(noise + spread**2) + flat)
        for spread in spreads
    ]
    assert shrunk.spread == pytest.approx(spreads @ likelihood / np.sum(likelihood), rel=1e-4)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.01, 4)), min_size=2, max_size=8),
    st.floats(-3, 3),
    st.randoms(use_true_random=False),
)
def test_order_does_not_matter_and_a_shift_shifts(
    rows: list[tuple[float, float]], shift: float, random: Random
) -> None:
    observed, variance = np.array(rows).T
    order = list(range(len(rows)))
    random.shuffle(order)

    plain = shrink(observed, variance)
    mixed = shrink(observed[order] + shift, variance[order])

    np.testing.assert_allclose(mixed.mean, plain.mean[order] + shift, atol=1e-8)
    np.testing.assert_allclose(mixed.error, plain.error[order], rtol=1e-6)


def test_intervals_of_true_figures_hold_them_as_often_as_said() -> None:
    rng = np.random.default_rng(3)
    held = []
    for _ in range(60):
        true = 1 + 0.3 * rng.standard_normal(20)
        noise = rng.uniform(0.05, 0.3, 20)
        shrunk = shrink(true + np.sqrt(noise) * rng.standard_normal(20), noise)
        held.append((np.abs(shrunk.mean - true) < 1.645 * shrunk.error).mean())

    assert 0.86 < np.mean(held) < 0.94
