"""Bands: against an own likelihood ratio, known truth, and the laws of weights."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from scipy.optimize import isotonic_regression
from scipy.special import expit, xlog1py, xlogy
from scipy.stats import chi2
from sklearn.isotonic import IsotonicRegression

from calibration.bands import confidence_band, consistency_band
from calibration.errors import CalibrationError, InvalidSampleError

Floats = npt.NDArray[np.float64]
BANDS = {
    "confidence": confidence_band,
    "consistency": lambda *a, **k: consistency_band(*a, **k, resamples=39),
}
ROWS = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 12).map(lambda k: k / 12), st.sampled_from([0, 1, 2.5])
    ),
    min_size=1,
    max_size=25,
).filter(lambda rows: any(weight for _, _, weight in rows))


def drawn(seed: int, rows: int) -> tuple[npt.NDArray[np.bool_], Floats]:
    generator = np.random.default_rng(seed)
    score = generator.beta(2, 2, rows)
    return generator.random(rows) < score, score


@pytest.mark.parametrize("band", BANDS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_rate_is_scikit_learns_isotonic_regression(seed: int, band: str) -> None:
    happened, score = drawn(seed, 800)
    points = np.linspace(score.min(), score.max(), 37)

    rate = BANDS[band](happened, score, points=points)["rate"]

    told = IsotonicRegression().fit(score, happened).predict(points)
    np.testing.assert_allclose(rate, told, atol=1e-12)


def test_an_end_of_the_band_costs_what_the_test_allows() -> None:
    happened, score = drawn(3, 300)
    order = np.argsort(score)
    sorted_scores, outcomes = score[order], happened[order].astype(float)
    place = 150
    band = confidence_band(happened, score, points=[sorted_scores[place]])

    def log_likelihood(rate: Floats) -> float:
        return float((xlogy(outcomes, rate) + xlog1py(1 - outcomes, -rate)).sum())

    def cost(rate: float) -> float:
        left = isotonic_regression(outcomes[:place]).x.clip(max=rate)
        right = isotonic_regression(outcomes[place + 1 :]).x.clip(min=rate)
        bound = log_likelihood(np.concatenate([left, [rate], right]))
        return 2 * (log_likelihood(isotonic_regression(outcomes).x) - bound)

    costs = [cost(band["low"][0]), cost(band["high"][0])]

    assert costs[0] == pytest.approx(costs[1], abs=1e-6)
    assert 0.594 <= costs[0] / chi2.ppf(0.95, 1) <= 0.66  # near the limit of Banerjee and Wellner


def test_few_scores_with_many_rows_have_the_interval_of_a_proportion() -> None:
    score = np.repeat([0.2, 0.5, 0.8], 4000)
    happened = np.tile(np.arange(4000) < 1000, 3) | (score > 0.3) & np.tile(
        np.arange(4000) < 2000, 3
    )
    happened |= (score > 0.6) & np.tile(np.arange(4000) < 3000, 3)

    band = confidence_band(happened, score, points=[0.5])

    reach = 1.96 * (0.25 / 4000) ** 0.5
    assert band["low"][0] == pytest.approx(0.5 - reach, abs=2e-4)
    assert band["high"][0] == pytest.approx(0.5 + reach, abs=2e-4)


def test_confidence_bands_cover_a_known_curve() -> None:
    generator = np.random.default_rng(7)
    points = np.array([0.2, 0.4, 0.6, 0.8])
    covered = []
    for _ in range(60):
        score = generator.random(1000)
        band = confidence_band(generator.random(1000) < score**1.5, score, points=points)
        covered.append(
            (band["low"].to_numpy() <= points**1.5) & (points**1.5 <= band["high"].to_numpy())
        )

    assert 0.91 <= np.mean(covered) <= 0.99


def test_consistency_bands_hold_calibrated_curves() -> None:
    generator = np.random.default_rng(8)
    points = np.array([0.2, 0.4, 0.6, 0.8])
    covered = []
    for _ in range(60):
        score = generator.random(300)
        band = consistency_band(generator.random(300) < score, score, points=points, resamples=99)
        covered.append((band["low"] <= band["rate"]) & (band["rate"] <= band["high"]))

    assert 0.91 <= np.mean(covered) <= 0.99


def test_a_miscalibrated_curve_leaves_the_consistency_band() -> None:
    generator = np.random.default_rng(9)
    score = generator.random(2000)

    band = consistency_band(generator.random(2000) < score / 2, score, points=[0.5, 0.8])

    assert (band["rate"] < band["low"]).all()


@settings(deadline=None, max_examples=30)
@given(rows=ROWS)
def test_the_confidence_band_surrounds_the_curve(rows: list[tuple[bool, float, float]]) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))

    band = confidence_band(happened, score, weight=weight, points=np.linspace(0, 1, 7))

    low, rate, high = (band[name].to_numpy() for name in ("low", "rate", "high"))
    assert (low <= rate).all()
    assert (rate <= high).all()
    assert (low >= 0).all()
    assert (high <= 1).all()


@settings(deadline=None, max_examples=15)
@given(rows=ROWS, factor=st.sampled_from([0.01, 0.5, 8.0]))
@pytest.mark.parametrize("band", BANDS)
def test_scaling_weights_and_rows_of_weight_0_change_nothing(
    band: str, rows: list[tuple[bool, float, float]], factor: float
) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))
    counted = weight > 0

    told = BANDS[band](happened, score, weight=weight, points=5)
    scaled = BANDS[band](
        happened[counted], score[counted], weight=weight[counted] * factor, points=5
    )

    assert_frame_equal(told, scaled, abs_tol=1e-6)


@settings(deadline=None, max_examples=25)
@given(rows=ROWS)
@pytest.mark.parametrize("band", BANDS)
def test_the_rate_counts_a_weight_as_that_many_rows(
    band: str, rows: list[tuple[bool, float, float]]
) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))
    times = np.ceil(weight).astype(int)

    weighted = BANDS[band](happened, score, weight=times, points=4)["rate"]
    repeated = BANDS[band](happened.repeat(times), score.repeat(times), points=4)["rate"]

    np.testing.assert_allclose(weighted, repeated, atol=1e-9)


@pytest.mark.parametrize("band", BANDS)
def test_gathered_cells_give_nearly_the_band_of_all_rows(
    band: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened, score = drawn(5, 4000)
    points = np.linspace(0.1, 0.9, 9)
    whole = BANDS[band](happened, score, points=points)

    monkeypatch.setattr("calibration.ranks._INNER", 1000)
    monkeypatch.setattr("calibration.ranks._OUTER", 100)

    # chance draws differ as well, which moves a quantile of 39 curves most
    tolerance = 0.01 if band == "confidence" else 0.05
    assert_frame_equal(BANDS[band](happened, score, points=points), whole, abs_tol=tolerance)


def test_uneven_weights_widen_the_confidence_band() -> None:
    happened, score = drawn(6, 2000)
    weight = np.random.default_rng(6).gamma(0.5, 2, 2000)

    even = confidence_band(happened, score, points=[0.3, 0.5, 0.7])
    uneven = confidence_band(happened, score, weight=weight, points=[0.3, 0.5, 0.7])

    assert (uneven["high"] - uneven["low"]).sum() > 1.1 * (even["high"] - even["low"]).sum()


def test_a_higher_level_is_a_wider_band() -> None:
    happened, score = drawn(10, 500)

    narrow, wide = (confidence_band(happened, score, level=level) for level in (0.8, 0.99))

    assert (wide["low"] <= narrow["low"]).all()
    assert (wide["high"] >= narrow["high"]).all()
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).any()


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_class_leaves_one_side_open(outcome: int) -> None:
    band = confidence_band([outcome] * 20, np.linspace(0.1, 0.9, 20), points=[0.5])

    low, high = band["low"][0], band["high"][0]
    assert (low, high)[outcome] == outcome
    assert 0.05 < high - low < 0.5


@pytest.mark.parametrize("band", BANDS)
def test_one_row_and_equal_scores_have_a_band(band: str) -> None:
    one = BANDS[band]([1], [0.3])
    equal = BANDS[band]([0, 1, 1, 0], [0.5] * 4)

    assert one.height == equal.height == 1
    assert one["high"][0] - one["low"][0] > 0.5
    assert equal["low"][0] < 0.5 < equal["high"][0]


def test_the_seed_fixes_the_consistency_band() -> None:
    happened, score = drawn(11, 200)

    first, again, other = (
        consistency_band(happened, score, resamples=19, seed=seed) for seed in (1, 1, 2)
    )

    assert first.equals(again)
    assert not first.equals(other)


@pytest.mark.parametrize("band", BANDS)
def test_wrong_options_and_samples_are_refused(band: str) -> None:
    with pytest.raises(CalibrationError, match="level = 0"):
        BANDS[band]([1], [0.5], level=0)
    with pytest.raises(CalibrationError, match="points"):
        BANDS[band]([1], [0.5], points=[-1.0])
    with pytest.raises(CalibrationError, match="resamples = 0"):
        consistency_band([1], [0.5], resamples=0)
    with pytest.raises(InvalidSampleError):
        BANDS[band]([1, 0], [0.5, np.nan])


def test_few_high_scores_of_rare_events_are_told_apart() -> None:
    generator = np.random.default_rng(4)
    score = expit(generator.normal(-6.5, 1.2, 200_000))
    points = [0.06, 0.1, 0.15, 0.2]
    held = []
    for seed in range(4):
        happened = np.random.default_rng(seed).random(200_000) < score
        confidence = confidence_band(happened, score, points=points)
        held.append((confidence["low"] <= pl.Series(points)) & (confidence["high"] >= points))
    consistency = consistency_band(happened, score, points=points, resamples=99)

    assert np.mean(held) > 0.8
    assert ((consistency["low"] < points) & (consistency["high"] > points)).all()
