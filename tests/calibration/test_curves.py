"""Curves: against scikit-learn, model-diagnostics and relplot, and the laws of weights."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_diagnostics.calibration import compute_bias
from polars.testing import assert_frame_equal
from relplot.diagrams import reliability_diagram as relplot_diagram
from relplot.estimators import KernelSmoother
from relplot.kernels import ReflectedGaussianKernel
from scipy.special import expit
from scipy.stats import binomtest
from sklearn.calibration import calibration_curve
from sklearn.isotonic import IsotonicRegression

from calibration import curves, kernels
from calibration import rows as rows_in_parts
from calibration.binned_errors import expected_calibration_error
from calibration.curves import (
    Binning,
    binned_curve,
    isotonic_curve,
    rate_interval,
    score_histogram,
    smoothed_curve,
)
from calibration.errors import CalibrationError, InvalidSampleError
from calibration.samples import Sample

Floats = npt.NDArray[np.float64]
SEEDS = [1, 2, 3]
CURVES = {
    "isotonic": isotonic_curve,
    "width": binned_curve,
    "mass": lambda *a, **k: binned_curve(*a, **k, bins=4, binning=Binning.EQUAL_MASS),
    "smoothed": lambda *a, **k: smoothed_curve(*a, **k, bandwidth=0.1, points=[0.1, 0.5, 0.9]),
    "histogram": score_histogram,
}
INTERVALS = ("low", "high", "rows")  # of effective rows, which a doubled row does not double
ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 12).map(lambda k: k / 12), st.integers(0, 3)),
    min_size=1,
    max_size=30,
).filter(lambda rows: any(weight for _, _, weight in rows))


def drawn(seed: int, rows: int = 3000) -> tuple[Floats, Floats, Floats]:
    generator = np.random.default_rng(seed)
    score = generator.beta(1, 3, rows)
    happened = (generator.random(rows) < score**1.3).astype(float)
    return happened, score, generator.gamma(2, 0.5, rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_isotonic_curve_is_scikit_learns(seed: int, weighted: bool) -> None:
    happened, score, weight = drawn(seed)
    used = weight if weighted else None
    fit = IsotonicRegression(y_min=0, y_max=1).fit(score, happened, sample_weight=used)

    curve = isotonic_curve(happened, score, weight=used)

    place = np.searchsorted(curve["highest"].to_numpy(), score)
    np.testing.assert_allclose(curve["rate"].to_numpy()[place], fit.predict(score), atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_do_not_depend_on_the_parts_rows_are_sorted_in(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened, score, weight = drawn(seed)
    score = np.where(score < 0.3, np.round(score, 1), score)  # ties that fill whole parts
    whole = [isotonic_curve(happened, score, weight=w) for w in (None, weight)]
    masses = CURVES["mass"](happened, score, weight=weight)

    monkeypatch.setattr(rows_in_parts, "_ROWS_AT_ONCE", 170)

    for curve, used in zip(whole, (None, weight), strict=True):
        assert_frame_equal(isotonic_curve(happened, score, weight=used), curve, abs_tol=1e-9)
    assert_frame_equal(CURVES["mass"](happened, score, weight=weight), masses, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("binning", "strategy"),
    [(Binning.EQUAL_WIDTH, "uniform"), (Binning.EQUAL_MASS, "quantile")],
)
@pytest.mark.parametrize("seed", SEEDS)
def test_bins_are_scikit_learns(seed: int, binning: Binning, strategy: str) -> None:
    happened, score, _ = drawn(seed)
    rate, mean = calibration_curve(happened, score, n_bins=12, strategy=strategy)

    curve = binned_curve(happened, score, bins=12, binning=binning)

    np.testing.assert_allclose(curve["rate"], rate, atol=1e-12)
    np.testing.assert_allclose(curve["probability"], mean, atol=1e-12)


@pytest.mark.filterwarnings("ignore:the string cache has been replaced:DeprecationWarning")
@pytest.mark.parametrize("seed", SEEDS)
def test_weighted_bins_have_the_bias_of_model_diagnostics(seed: int) -> None:
    happened, score, weight = drawn(seed)
    place = np.minimum((score * 5).astype(int), 4)
    told = compute_bias(
        happened, score, feature=pl.Series("place", place.astype(str)), weights=weight, n_bins=5
    )

    curve = binned_curve(happened, score, weight=weight, bins=5)

    bias = (curve["probability"] - curve["rate"]).to_numpy()
    np.testing.assert_allclose(bias, told.sort("place")["bias_mean"].to_numpy(), atol=1e-12)


@pytest.mark.parametrize("width", [0.03, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_smoothed_curve_is_relplots(seed: int, width: float) -> None:
    happened, score, _ = drawn(seed)
    # relplot adds 0.0001 to its density and cuts the kernel into 1,000 steps: hence the tolerance
    smoother = KernelSmoother(ReflectedGaussianKernel(width))
    places, rate = relplot_diagram(score, happened, smoother)
    inside = places < 0.7

    curve = smoothed_curve(happened, score, bandwidth=width, points=places[inside])

    np.testing.assert_allclose(curve["rate"], rate[inside].clip(0, 1), atol=2e-4)


def test_smoothing_is_the_sum_over_rows_and_their_mirror_images() -> None:
    happened, score, weight = drawn(4, 400)
    width, places = 0.07, np.linspace(0, 1, 21)
    images = np.stack([score, -score, 2 - score])
    kernel = np.exp(-(((places[:, None, None] - images) / width) ** 2) / 2).sum(axis=1)
    near = kernel @ weight
    expected = places + kernel @ (weight * (happened - score)) / near
    rows = near**2 / (kernel**2 @ weight**2)

    curve = smoothed_curve(happened, score, weight=weight, bandwidth=width, points=places)

    dense = rows > 10  # elsewhere the grid that rows are put on shows
    np.testing.assert_allclose(
        curve["rate"].to_numpy()[dense], expected.clip(0, 1)[dense], atol=2e-3
    )
    np.testing.assert_allclose(curve["rows"].to_numpy()[dense], rows[dense], rtol=0.02)


def test_wilsons_interval_is_scipys() -> None:
    for events, rows in [(0, 5), (3, 10), (10, 10), (40, 1000)]:
        told = binomtest(events, rows).proportion_ci(0.9, method="wilson")

        low, high = rate_interval(np.array([events / rows]), np.array([float(rows)]), 0.9)

        np.testing.assert_allclose([low[0], high[0]], [told.low, told.high], atol=1e-12)


@settings(deadline=None, max_examples=25)
@given(rows=ROWS)
@pytest.mark.parametrize("name", CURVES)
def test_a_weight_is_that_many_rows_and_0_is_none(
    name: str, rows: list[tuple[bool, float, int]]
) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))

    curve = CURVES[name](happened, score, weight=weight)
    repeated = CURVES[name](happened.repeat(weight), score.repeat(weight))

    rates = [column for column in curve.columns if column not in INTERVALS]
    assert_frame_equal(curve[rates], repeated[rates], abs_tol=1e-9)


@settings(deadline=None, max_examples=25)
@given(rows=ROWS, factor=st.sampled_from([0.001, 0.3, 7.0]))
@pytest.mark.parametrize("name", CURVES)
def test_scaled_weights_change_sums_only(
    name: str, rows: list[tuple[bool, float, int]], factor: float
) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))

    curve = CURVES[name](happened, score, weight=weight)
    scaled = CURVES[name](happened, score, weight=weight * factor)

    sums = [column for column in curve.columns if column in ("weight", "events")]
    assert_frame_equal(curve.drop(sums), scaled.drop(sums), abs_tol=1e-9)
    assert_frame_equal(curve[sums] * factor, scaled[sums], abs_tol=1e-9)


@settings(deadline=None, max_examples=30)
@given(rows=ROWS)
def test_isotonic_rates_rise_strictly_and_keep_all_weight(
    rows: list[tuple[bool, float, int]],
) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))

    curve = isotonic_curve(happened, score, weight=weight)

    assert (np.diff(curve["rate"]) > 0).all()
    assert (curve["lowest"].to_numpy()[1:] > curve["highest"].to_numpy()[:-1]).all()
    assert curve["weight"].sum() == pytest.approx(weight.sum())
    assert curve["events"].sum() == pytest.approx(weight[happened].sum())


@settings(deadline=None, max_examples=30)
@given(rows=ROWS)
@pytest.mark.parametrize("name", ["width", "mass", "smoothed"])
def test_the_interval_holds_the_rate(name: str, rows: list[tuple[bool, float, int]]) -> None:
    happened, score, weight = (np.array(values) for values in zip(*rows, strict=True))

    curve = CURVES[name](happened, score, weight=weight).drop_nulls()

    assert curve.select(
        (pl.col("low") >= 0)
        & (pl.col("low") <= pl.col("rate"))
        & (pl.col("rate") <= pl.col("high"))
    )["low"].all()
    assert (curve["high"] <= 1).all()


def test_uneven_weights_widen_the_interval() -> None:
    happened, score, weight = drawn(1)

    even = binned_curve(happened, score, bins=1)
    uneven = binned_curve(happened, score, weight=weight, bins=1)

    assert (uneven["high"] - uneven["low"])[0] > 1.1 * (even["high"] - even["low"])[0]


def test_ties_stay_in_one_bin() -> None:
    score = np.repeat([0.1, 0.2, 0.9], [2, 95, 3])

    curve = binned_curve(score > 0.15, score, bins=10, binning=Binning.EQUAL_MASS)

    assert curve["highest"].to_list() == [0.1, 0.2, 0.9]
    assert curve["weight"].to_list() == [2, 95, 3]


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("name", CURVES)
def test_one_row_has_a_curve(name: str, outcome: int) -> None:
    curve = CURVES[name]([outcome], [0.25])

    assert curve.filter(pl.col(curve.columns[-1]).is_not_null()).height >= 1
    if "rate" in curve.columns:
        assert set(curve["rate"].drop_nulls().round(9)) == {float(outcome)} or name == "smoothed"


@pytest.mark.parametrize("outcome", [0, 1])
def test_one_class_is_one_block(outcome: int) -> None:
    curve = isotonic_curve([outcome] * 3, [0.1, 0.2, 0.9])

    assert curve.rows() == [(0.1, 0.9, outcome, 3, 3 * outcome)]


def test_equal_scores_are_one_row_of_each_curve() -> None:
    happened, score = [0, 1, 1, 0], [0.4] * 4

    assert isotonic_curve(happened, score).rows() == [(0.4, 0.4, 0.5, 4, 2)]
    assert binned_curve(happened, score, binning=Binning.EQUAL_MASS).height == 1
    assert smoothed_curve(happened, score)["rate"].to_list() == [pytest.approx(0.5)]


def test_a_smoothed_curve_is_null_where_no_row_is_near() -> None:
    curve = smoothed_curve([0, 1], [0.1, 0.9], bandwidth=0.01, points=[0.1, 0.5])

    assert curve["rate"].is_null().to_list() == [False, True]
    assert curve["rows"][1] == 0


def test_default_bandwidth_narrows_with_the_fourth_root_of_rows() -> None:
    few, many = (
        kernels.default_bandwidth(Sample.of([0, 1] * n, [0.2, 0.6] * n)) for n in (10, 160)
    )

    assert few == pytest.approx(2 * many)
    assert few == pytest.approx(0.2 * 20**-0.25)


def test_histogram_ends_are_kept_and_hold_all_rows() -> None:
    histogram = score_histogram([0, 1, 1], [0.0, 0.05, 0.1], bins=[0, 0.05, 0.1])

    assert histogram["weight"].to_list() == [1, 2]
    assert histogram["share"].sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: binned_curve([1], [0.5], bins=0), "bins = 0"),
        (lambda: binned_curve([1], [0.5], level=1.0), "level = 1.0"),
        (lambda: smoothed_curve([1], [0.5], bandwidth=0.0), "bandwidth = 0.0"),
        (lambda: smoothed_curve([1], [0.5], points=[1.5]), "points"),
        (lambda: smoothed_curve([1], [0.5], points=0), "points = 0"),
        (lambda: score_histogram([1], [0.5], bins=[0, 0.4]), "leave out scores"),
        (lambda: score_histogram([1], [0.5], bins=[0.5]), "ends that ascend"),
    ],
)
def test_a_wrong_option_is_refused(call, told: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(CalibrationError, match=told):
        call()


@pytest.mark.parametrize("name", CURVES)
def test_bad_samples_are_refused(name: str) -> None:
    for happened, score, weight in (
        ([0, 1], [0.5, np.nan], None),
        ([0, 1], [0.5, 1.5], None),
        ([0, 1], [0.5, 0.6], [1, -1]),
        ([], [], None),
    ):
        with pytest.raises(InvalidSampleError):
            CURVES[name](happened, score, weight=weight)


def test_bins_of_equal_width_are_those_of_the_error() -> None:
    score = np.arange(11) / 10
    happened = np.arange(11) % 2 == 0

    curve = curves.binned_curve(happened, score, bins=10)
    gap = (curve["weight"] * (curve["probability"] - curve["rate"]).abs()).sum() / 11

    assert curve["lowest"].to_list() == pytest.approx(score[:10].tolist())
    assert curve["weight"].to_list() == [1.0] * 9 + [2.0]
    assert expected_calibration_error(happened, score, bins=10) == pytest.approx(gap)


def test_no_place_is_smoothed_of_more_rows_than_there_are() -> None:
    score = np.linspace(0, 1, 50)

    wide = curves.smoothed_curve(score > 0.4, score, bandwidth=3.0)
    two = curves.smoothed_curve([0, 1], [0.2, 0.7])

    assert wide["rows"].max() <= 50
    assert two["rows"].max() <= 2


def test_the_smoothed_curve_of_rare_events_is_told_where_rows_are_and_nowhere_else() -> None:
    generator = np.random.default_rng(4)
    score = expit(generator.normal(-6.5, 1.2, 100_000))
    happened = generator.random(100_000) < score

    curve = curves.smoothed_curve(happened, score, points=[0.002, 0.01, 0.03, 0.06, 0.3])

    assert curve["rate"].is_null().to_list() == [False] * 4 + [True]
    assert curve.filter(pl.col("rate").is_not_null())["rows"].min() >= 10
    assert (curve["high"] - curve["low"])[2] > 5 * (curve["high"] - curve["low"])[1]
