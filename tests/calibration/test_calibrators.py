"""The interface, and the laws that every calibrator holds."""

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from calibration.calibrators import Calibrator, HistogramCalibrator, IsotonicCalibrator
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator, TemperatureCalibrator
from calibration.priors import PriorCalibrator
from calibration.segmented import SegmentedCalibrator
from calibration.venn_abers import VennAbersCalibrator

MONOTONE = [
    IsotonicCalibrator(),
    SigmoidCalibrator(),
    BetaCalibrator(),
    TemperatureCalibrator(),
    PriorCalibrator(),
    VennAbersCalibrator(),
    SegmentedCalibrator(),
    SegmentedCalibrator(base=IsotonicCalibrator()),
]
ALL = [*MONOTONE, HistogramCalibrator(), HistogramCalibrator(bins=3, towards_scores=False)]
every = pytest.mark.parametrize("calibrator", ALL, ids=lambda item: item.kind)
monotone = pytest.mark.parametrize("calibrator", MONOTONE, ids=lambda item: item.kind)
GRID = np.unique(np.concatenate([[0.0, 5e-324, 1 - 2**-53, 1.0], np.linspace(0, 1, 301)]))
score = st.one_of(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0, 1e-300]), st.floats(0, 1))
samples = st.lists(
    st.tuples(st.booleans(), score, st.integers(0, 3)), min_size=2, max_size=30
).filter(lambda drawn: len({happened for happened, _, weight in drawn if weight}) == 2)
Drawn = list[tuple[bool, float, int]]


def generated(
    seed: int, rows: int, twist: Callable[[np.ndarray], np.ndarray] = np.square
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return outcomes, scores and weights; the true probability is a twist of the score."""
    generator = np.random.default_rng(seed)
    scores = generator.beta(1, 2, rows)
    return generator.random(rows) < twist(scores), scores, generator.integers(0, 4, rows)


@every
@settings(deadline=None, max_examples=20)
@given(drawn=samples)
def test_no_calibrator_lets_0_or_1_out(calibrator: Calibrator, drawn: Drawn) -> None:
    y_true, y_prob, weight = zip(*drawn, strict=True)

    predicted = calibrator.fit(y_true, y_prob, weight=weight).predict(GRID)

    assert predicted.min() > 0
    assert predicted.max() < 1


@monotone
@settings(deadline=None, max_examples=20)
@given(drawn=samples)
def test_monotone_calibrators_never_turn_the_ranking_round(
    calibrator: Calibrator, drawn: Drawn
) -> None:
    y_true, y_prob, weight = zip(*drawn, strict=True)

    predicted = calibrator.fit(y_true, y_prob, weight=weight).predict(GRID)

    assert np.diff(predicted).min() >= -1e-12  # rounding


@every
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 10**6), size=st.integers(20, 120))
def test_a_row_of_weight_two_is_two_rows_and_of_weight_zero_none(
    calibrator: Calibrator, seed: int, size: int
) -> None:
    y_true, y_prob, weight = generated(seed, size)
    y_true[:2], weight[:2] = (True, False), 1
    y_true[2], y_prob[2], weight[2] = not y_true[2], 0.0, 0

    weighted = calibrator.fit(y_true, y_prob, weight=weight).predict(GRID)
    repeated = calibrator.fit(np.repeat(y_true, weight), np.repeat(y_prob, weight)).predict(GRID)

    # bins of equal weight may end elsewhere only where rounding decides
    assert np.abs(weighted - repeated).max() < 1e-6


@every
def test_calibrators_take_lists_and_series_and_are_left_as_they_were(
    calibrator: Calibrator,
) -> None:
    y_true, y_prob, _ = generated(1, 200)

    of_arrays = calibrator.fit(y_true, y_prob)
    of_lists = calibrator.fit(y_true.tolist(), y_prob.tolist())
    of_series = calibrator.fit(pl.Series(y_true), pl.Series(y_prob))

    assert of_arrays == of_lists == of_series
    assert not calibrator.limits


# a temperature has no level, which is what is wrong here
@pytest.mark.parametrize(
    "calibrator", [item for item in ALL if item.kind != "temperature"], ids=lambda item: item.kind
)
def test_a_calibrator_lessens_the_error_of_a_large_sample(calibrator: Calibrator) -> None:
    y_true, y_prob, _ = generated(3, 20_000, twist=lambda score: score**3 / 2)
    truth = GRID**3 / 2

    fitted = calibrator.fit(y_true, y_prob)

    inner = (GRID > 0.05) & (GRID < 0.95)
    before = np.abs(GRID - truth)[inner].mean()
    after = np.abs(fitted.predict(GRID) - truth)[inner].mean()
    assert after < 0.8 * before


@every
@pytest.mark.parametrize("happened", [0, 1])
def test_one_outcome_teaches_nothing(calibrator: Calibrator, happened: int) -> None:
    with pytest.raises(InsufficientDataError, match="give rows of both outcomes"):
        calibrator.fit([happened] * 5, np.linspace(0.1, 0.9, 5))
    with pytest.raises(InsufficientDataError, match="give rows of both outcomes"):
        calibrator.fit([happened], [0.5])
    with pytest.raises(InsufficientDataError, match="of 2 rows of weight above 0"):
        calibrator.fit([happened, happened, 1 - happened], [0.1, 0.2, 0.3], weight=[1, 2, 0])


@every
def test_only_a_fitted_calibrator_predicts(calibrator: Calibrator) -> None:
    with pytest.raises(CalibrationError, match="not fitted: call fit first"):
        calibrator.predict([0.5])


@every
def test_scores_to_predict_are_checked(calibrator: Calibrator) -> None:
    fitted = calibrator.fit([0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4])

    assert fitted.predict([]).shape == (0,)
    with pytest.raises(InvalidSampleError, match="y_prob"):
        fitted.predict([0.5, np.nan])
    with pytest.raises(InvalidSampleError, match="y_prob"):
        fitted.predict([1.5])
    with pytest.raises(InvalidSampleError, match="vectors"):
        fitted.predict([[0.5]])


@pytest.mark.parametrize(
    "calibrator",
    [IsotonicCalibrator(), PriorCalibrator(), BetaCalibrator(), HistogramCalibrator(bins=4)],
    ids=lambda item: item.kind,
)
def test_equal_scores_get_the_overall_rate(calibrator: Calibrator) -> None:
    y_true = np.arange(1_000) % 4 == 0

    fitted = calibrator.fit(y_true, np.full(1_000, 0.4))

    # a histogram's bin is shrunk by one row of .4
    assert fitted.predict([0.4])[0] == pytest.approx(0.25, abs=2e-4)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_is_that_of_scikit_learn_between_the_end_blocks(seed: int, weighted: bool) -> None:
    y_true, y_prob, weight = generated(seed, 2_000)
    y_prob = np.round(y_prob, 3)
    weight = weight if weighted else np.ones(2_000)
    scores = np.linspace(0, 1, 5_001)

    fitted = IsotonicCalibrator().fit(y_true, y_prob, weight=weight if weighted else None)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(y_prob, y_true, sample_weight=weight)

    expected = oracle.predict(scores)
    blocks = np.unique(oracle.y_thresholds_)
    # at the ends scikit-learn gives 0 and 1, which draws the lines up to the next blocks with it
    inner = (expected >= blocks[blocks > 0][0]) & (expected <= blocks[blocks < 1][-1])
    assert np.count_nonzero(inner) > 1_000
    assert np.abs(fitted.predict(scores) - expected)[inner].max() < 1e-12


def test_end_blocks_of_isotonic_count_one_row_more_of_the_overall_rate() -> None:
    y_true = [0, 0, 0, 1, 0, 1, 1]
    y_prob = [0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 0.9]

    fitted = IsotonicCalibrator().fit(y_true, y_prob)

    overall = 3 / 7
    expected = [overall / 4, overall / 4, 0.5, (2 + overall) / 3, (2 + overall) / 3]
    assert fitted.predict([0.0, 0.3, 0.45, 0.8, 1.0]) == pytest.approx(expected)


def test_a_rare_event_is_not_lifted_to_laplaces_floor() -> None:
    y_true = np.zeros(1_000)
    y_true[-2:] = 1

    fitted = IsotonicCalibrator().fit(y_true, np.linspace(0, 0.1, 1_000))

    assert fitted.predict([0.01])[0] == pytest.approx(0.002 / 999)


def test_a_lowest_block_is_no_higher_than_the_next() -> None:
    y_true = np.concatenate([[0], np.repeat([1, 0], [1, 99]), np.ones(200)])
    y_prob = np.concatenate([[0.1], np.full(100, 0.2), np.full(200, 0.9)])

    fitted = IsotonicCalibrator().fit(y_true, y_prob)

    assert fitted.predict([0.1, 0.2]).tolist() == [0.01, 0.01]


def test_histogram_is_the_shrunk_rate_of_its_bins() -> None:
    y_true = [0, 0, 1, 0, 1, 1]
    y_prob = [0.1, 0.2, 0.3, 0.4, 0.5, 0.9]

    to_scores = HistogramCalibrator(bins=2, pseudo_count=2).fit(y_true, y_prob)
    to_rate = HistogramCalibrator(bins=2, pseudo_count=2, towards_scores=False).fit(y_true, y_prob)

    assert to_scores.edges == (0.3,)
    assert to_scores.probabilities == pytest.approx([(1 + 2 * 0.2) / 5, (2 + 2 * 0.6) / 5])
    assert to_rate.probabilities == pytest.approx([(1 + 2 * 0.5) / 5, (2 + 2 * 0.5) / 5])
    assert to_scores.predict([0.3, 0.31]) == pytest.approx(to_scores.probabilities)


@pytest.mark.parametrize(
    "options", [{"bins": 0}, {"pseudo_count": -1.0}, {"pseudo_count": float("nan")}]
)
def test_options_of_a_histogram_are_checked(options: dict[str, float]) -> None:
    with pytest.raises(CalibrationError, match="at least"):
        HistogramCalibrator(**options)


def test_scaling_weights_moves_only_what_counts_rows() -> None:
    y_true, y_prob, _ = generated(5, 3_000, twist=lambda score: 0.1 + 0.8 * score)
    weight = np.full(3_000, 7.0)

    for calibrator in (BetaCalibrator(), TemperatureCalibrator(), PriorCalibrator()):
        single = calibrator.fit(y_true, y_prob).predict(GRID[2:-2])
        scaled = calibrator.fit(y_true, y_prob, weight=weight).predict(GRID[2:-2])
        assert np.abs(single - scaled).max() < 1e-6, calibrator.kind
