"""The parts sum to the score, and are model-diagnostics' where both take isotonic rates."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_diagnostics.scoring import SquaredError, decompose

from calibration.brier import brier_decomposition
from calibration.errors import CalibrationError
from calibration.metrics import brier_score

SEEDS = range(5)
ROWS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]) | st.floats(0, 1),
        st.floats(0.1, 5),
    ),
    min_size=1,
    max_size=40,
)


def sample_of(seed: int, size: int = 2_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = np.round(generator.beta(1, 3, size), 2 if seed % 2 else 12)
    happened = generator.random(size) < probability**1.3
    return happened, probability, generator.exponential(size=size)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS, by=st.just("isotonic") | st.integers(1, 12), debiased=st.booleans())
def test_parts_sum_to_the_score(rows: list, by: int | str, debiased: bool) -> None:
    happened, probability, weight = (np.array(column) for column in zip(*rows, strict=True))
    debiased = debiased and by != "isotonic"

    parts = brier_decomposition(happened, probability, weight=weight, by=by, debiased=debiased)

    assert parts.score == pytest.approx(
        brier_score(happened, probability, weight=weight), abs=1e-12
    )


@settings(deadline=None, max_examples=40)
@given(rows=ROWS, by=st.just("isotonic") | st.integers(1, 12))
def test_parts_are_within_their_range(rows: list, by: int | str) -> None:
    happened, probability, weight = (np.array(column) for column in zip(*rows, strict=True))

    parts = brier_decomposition(happened, probability, weight=weight, by=by)

    assert parts.reliability >= -1e-12
    assert -1e-12 <= parts.resolution <= parts.uncertainty + 1e-12
    assert parts.uncertainty <= 0.25 + 1e-12
    assert parts.within_variance >= -1e-12


@pytest.mark.parametrize("seed", SEEDS)
def test_isotonic_parts_agree_with_model_diagnostics(seed: int) -> None:
    happened, probability, weight = sample_of(seed)

    parts = brier_decomposition(happened, probability, weight=weight)

    told = decompose(
        happened.astype(float), probability, weight, scoring_function=SquaredError()
    ).row(0, named=True)
    assert parts.reliability == pytest.approx(told["miscalibration"], abs=1e-12)
    assert parts.resolution == pytest.approx(told["discrimination"], abs=1e-12)
    assert parts.uncertainty == pytest.approx(told["uncertainty"], abs=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("bins", [1, 4, 15])
def test_binned_parts_are_the_sums_over_bins_of_their_definitions(seed: int, bins: int) -> None:
    happened, probability, weight = sample_of(seed, 300)
    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    rate = np.average(happened, weights=weight)
    reliability = resolution = variance = covariance = 0.0
    for number in np.unique(bin_of):
        y, p, w = (column[bin_of == number] for column in (happened, probability, weight))
        mean_y, mean_p = np.average(y, weights=w), np.average(p, weights=w)
        reliability += w.sum() * (mean_p - mean_y) ** 2 / weight.sum()
        resolution += w.sum() * (mean_y - rate) ** 2 / weight.sum()
        variance += w @ (p - mean_p) ** 2 / weight.sum()
        covariance += 2 * w @ ((p - mean_p) * (y - mean_y)) / weight.sum()

    parts = brier_decomposition(happened, probability, weight=weight, by=bins)

    found = (parts.reliability, parts.resolution, parts.within_variance, parts.within_covariance)
    assert found == pytest.approx((reliability, resolution, variance, covariance), abs=1e-12)


def test_debiased_reliability_of_calibrated_samples_is_0_on_average() -> None:
    generator = np.random.default_rng(4)
    values = []
    for _ in range(300):
        probability = generator.choice([0.1, 0.3, 0.6, 0.8], 100)
        happened = generator.random(100) < probability
        parts = brier_decomposition(happened, probability, by=10, debiased=True)
        values.append((parts.reliability, parts.uncertainty))

    reliability, uncertainty = np.array(values).T
    assert abs(reliability.mean()) < 3 * reliability.std() / np.sqrt(300)
    assert abs(uncertainty.mean() - 0.45 * 0.55) < 3 * uncertainty.std() / np.sqrt(300)


def test_edge_cases_have_results() -> None:
    one = brier_decomposition([1], [0.75])
    equal = brier_decomposition([1, 0, 0, 0], [0.5] * 4)
    same = brier_decomposition([0, 0], [0.1, 0.3])

    assert (one.reliability, one.resolution, one.uncertainty) == (0.0625, 0, 0)
    assert (equal.resolution, equal.uncertainty) == (0, 0.1875)
    assert (same.resolution, same.uncertainty) == (0, 0)
    assert brier_decomposition([1], [0.75], by=3, debiased=True).reliability == 0.0625


def test_isotonic_parts_cannot_be_debiased() -> None:
    with pytest.raises(CalibrationError, match="need bins"):
        brier_decomposition([0, 1], [0.2, 0.8], debiased=True)
