"""Intervals depend on what was seen and the seed alone; their coverage is a benchmark's matter."""

import inspect
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as scipy_bootstrap

from calibration.binned_errors import (
    Binning,
    MaximumError,
    adaptive_calibration_error,
    expected_calibration_error,
    maximum_calibration_error,
)
from calibration.brier import brier_decomposition
from calibration.constructions import Construction
from calibration.error_worlds import Worlds
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.intervals import Interval, bootstrap, bootstrap_fields
from calibration.metrics import brier_score, calibration_ratio, log_loss, normalised_entropy
from calibration.recalibration import calibration_in_the_large, logistic_recalibration
from calibration.resampled_sums import Sums, sums_of
from calibration.samples import Sample
from calibration.smooth_error import smooth_calibration_error
from calibration.units import MOST_UNITS, Units

Metric = tuple[Callable[..., Any], str | None]
OF_SUMS: dict[str, Metric] = {
    "ratio": (calibration_ratio, None),
    "log_loss": (log_loss, None),
    "entropy": (normalised_entropy, None),
    "brier": (brier_score, None),
    "uncertainty": (brier_decomposition, "uncertainty"),
    "binned_resolution": (partial(brier_decomposition, by=5), "resolution"),
}
OF_WORLDS: dict[str, Metric] = {
    "expected": (expected_calibration_error, None),
    "adaptive": (partial(adaptive_calibration_error, bins=7), None),
    "maximum": (partial(maximum_calibration_error, bins=5), None),
    "maximum_value": (partial(maximum_calibration_error, binning=Binning.EQUAL_MASS), "value"),
    "binned_reliability": (partial(brier_decomposition, by=5), "reliability"),
    "smooth": (smooth_calibration_error, None),
}
LINEARISED: dict[str, Metric] = {
    "isotonic_reliability": (brier_decomposition, "reliability"),
    "isotonic_resolution": (brier_decomposition, "resolution"),
    "intercept": (logistic_recalibration, "intercept"),
    "slope": (logistic_recalibration, "slope"),
    "in_the_large": (calibration_in_the_large, "intercept"),
}
KNOWN = OF_SUMS | OF_WORLDS | LINEARISED
few = partial(bootstrap, repetitions=200)


def sample_of(
    seed: int = 1, size: int = 400, *, power: float = 0.9
) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probability = np.round(generator.beta(1.5, 3, size), 3)
    return generator.random(size) < probability**power, np.clip(probability, 0.001, 0.999)


def opened(metric: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    return (metric.func, metric.keywords) if isinstance(metric, partial) else (metric, {})


@pytest.mark.parametrize("name", KNOWN)
def test_the_order_of_rows_changes_no_bit(name: str) -> None:
    metric, part = KNOWN[name]
    happened, probability = sample_of()
    generator = np.random.default_rng(2)
    weight, order = generator.exponential(size=400), generator.permutation(400)
    clusters = np.arange(400) // 4

    for belongs in (None, clusters):
        moved = None if belongs is None else belongs[order]
        one = few(metric, happened, probability, weight=weight, clusters=belongs, part=part)
        other = few(
            metric,
            happened[order],
            probability[order],
            weight=weight[order],
            clusters=moved,
            part=part,
        )
        assert one == other


@pytest.mark.parametrize("name", KNOWN)
def test_scaling_weights_and_rows_of_weight_0_change_nothing(name: str) -> None:
    metric, part = KNOWN[name]
    happened, probability = sample_of()
    weight = np.random.default_rng(2).integers(0, 4, 400).astype(float)
    held = weight > 0

    one = few(metric, happened, probability, weight=weight, part=part)
    other = few(metric, happened[held], probability[held], weight=3.7 * weight[held], part=part)

    assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))


@pytest.mark.parametrize("name", KNOWN)
def test_a_row_of_weight_2_is_two_rows_of_one_cluster(name: str) -> None:
    metric, part = KNOWN[name]
    happened, probability = sample_of()
    weight = np.random.default_rng(2).integers(1, 3, 400)
    clusters = np.arange(400)

    one = few(metric, happened, probability, weight=weight, clusters=clusters, part=part)
    columns = (np.repeat(column, weight) for column in (happened, probability, clusters))
    y_true, y_prob, belongs = columns
    other = few(metric, y_true, y_prob, clusters=belongs, part=part)

    assert (other.value, other.low, other.high) == pytest.approx(
        (one.value, one.low, one.high), rel=1e-6, abs=1e-9
    )


@pytest.mark.parametrize("name", KNOWN)
def test_an_interval_is_repeatable_and_wider_of_clusters_that_agree(name: str) -> None:
    metric, part = KNOWN[name]
    happened, probability = sample_of(size=300)
    doubled = np.repeat(happened, 6), np.repeat(probability, 6)
    clusters = np.repeat(np.arange(300), 6)

    rows = few(metric, *doubled, part=part)
    wide = few(metric, *doubled, clusters=clusters, part=part)

    assert rows == few(metric, *doubled, part=part)
    assert rows != few(metric, *doubled, part=part, seed=9)
    assert rows.low < rows.high
    assert wide.high - wide.low > 1.5 * (rows.high - rows.low)


@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 1_000))
@pytest.mark.parametrize("name", OF_SUMS)
def test_figures_of_sums_are_those_of_the_metric_under_weights(name: str, seed: int) -> None:
    metric, part = OF_SUMS[name]
    function, options = opened(metric)
    units = Units.of(Sample.of(*sample_of(seed)), None)
    weights = np.random.default_rng(seed).poisson(1, (3, 400)).astype(float)

    sums = sums_of(function, part, units, options)

    assert isinstance(sums, Sums)
    told = [
        metric(units.sample.happened, units.sample.probability, weight=weight) for weight in weights
    ]
    told = told if part is None else [getattr(result, part) for result in told]
    table = units.collect(sums.terms, np.random.default_rng(0))
    np.testing.assert_allclose(sums.figure((table @ weights.T).T), told, rtol=1e-9)


@pytest.mark.parametrize("name", OF_WORLDS)
def test_worlds_hold_the_sample_and_its_gaps(name: str) -> None:
    metric, part = OF_WORLDS[name]
    function, options = opened(metric)
    units = Units.of(Sample.of(*sample_of()), None)

    worlds = sums_of(function, part, units, options)

    assert isinstance(worlds, Worlds)
    result = metric(units.sample.happened, units.sample.probability)
    value = float(result if part is None else getattr(result, part))
    power = 0.5 if part == "reliability" else 1
    assert worlds.observed == pytest.approx(value**power, rel=1e-9)
    whole = units.collect(worlds.terms, np.random.default_rng(0)).toarray().sum(axis=1)
    count = len(worlds.place)
    noise, weight, extra = np.split(whole[None, :], [count, 2 * count], axis=1)
    told = noise + worlds.gaps.gap[worlds.place] * weight
    close = 1e-2 if name == "smooth" else 1e-9  # whose grid here is coarser
    assert float(worlds.figure(told, weight, extra)[0]) == pytest.approx(worlds.observed, rel=close)
    assert float(worlds.truth(told, weight, extra)[0]) == pytest.approx(value, rel=close)
    assert float(worlds.figure(3 * told, weight, extra)[0]) == pytest.approx(
        3 * worlds.observed, rel=close
    )
    if name != "smooth":
        assert np.abs(noise).max() < 1e-9


@pytest.mark.parametrize("name", ["intercept", "slope", "in_the_large"])
def test_one_step_agrees_with_fitting_each_resample(name: str) -> None:
    metric, part = LINEARISED[name]
    happened, probability = sample_of(size=1_000)

    step = few(metric, happened, probability, part=part)
    full = few(lambda *a, **k: metric(*a, **k), happened, probability, part=part)

    width = full.high - full.low
    assert step.low == pytest.approx(full.low, abs=0.15 * width)
    assert step.high == pytest.approx(full.high, abs=0.15 * width)


def test_a_metric_of_ones_own_gets_scipys_interval() -> None:
    happened, probability = sample_of(size=300)

    own = bootstrap(lambda y, p, weight: np.average(p - y, weights=weight), happened, probability)

    told = scipy_bootstrap(
        (probability - happened,), np.mean, n_resamples=2_000, method="BCa", rng=1
    ).confidence_interval
    width = told.high - told.low
    assert own.value == pytest.approx(np.mean(probability - happened))
    assert own.low == pytest.approx(told.low, abs=0.1 * width)
    assert own.high == pytest.approx(told.high, abs=0.1 * width)


@pytest.mark.parametrize("name", ["expected", "adaptive", "maximum", "smooth"])
def test_the_interval_of_an_error_at_calibration_reaches_0(name: str) -> None:
    metric, part = OF_WORLDS[name]
    lows = [few(metric, *sample_of(seed, power=1), part=part).low for seed in range(20)]

    assert np.count_nonzero(np.array(lows) > 0) <= 3  # 2.5% of 20 is 0.5


def test_debiasing_moves_the_value_and_not_the_interval() -> None:
    sample = sample_of()

    plain = few(expected_calibration_error, *sample)
    debiased = few(partial(expected_calibration_error, debiased=True), *sample)

    assert debiased.value < plain.value
    assert (debiased.low, debiased.high) == (plain.low, plain.high)


@pytest.mark.parametrize("name", ["ratio", "slope", "expected", "isotonic_reliability"])
def test_a_higher_level_gives_a_wider_interval(name: str) -> None:
    metric, part = KNOWN[name]
    narrow, wide = (few(metric, *sample_of(), part=part, level=level) for level in (0.5, 0.95))

    assert wide.low <= narrow.low < narrow.high <= wide.high
    assert wide.value == narrow.value


def test_many_rows_are_drawn_in_groups_of_the_same_spread() -> None:
    happened, probability = sample_of(size=4 * MOST_UNITS)

    found = bootstrap(calibration_ratio, happened, probability)

    error = np.std(probability - found.value * happened) / happened.sum() * 200 * MOST_UNITS**0.5
    error /= 100
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.1)


@pytest.mark.parametrize("construction", Construction)
def test_a_construction_can_be_chosen(construction: Construction) -> None:
    found = bootstrap(
        expected_calibration_error,
        *sample_of(power=0.2),
        construction=construction,
        repetitions=100,
    )

    assert 0 <= found.low < found.high


def test_fields_have_intervals_whatever_the_order_of_rows() -> None:
    happened, probability = sample_of(size=600)
    generator = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "y_true": happened,
            "y_prob": probability,
            "slot": generator.integers(0, 5, 600),
            "device": generator.choice(["ios", "android"], 600),
            "user": (np.arange(600) // 3).astype(str),
            "weight": generator.integers(0, 3, 600),
        }
    )

    for part in ("expected", "relative"):
        options = {"by": ["slot", "device"], "part": part, "weight": "weight", "clusters": "user"}
        one = bootstrap_fields(frame, repetitions=200, **options)
        other = bootstrap_fields(
            frame.sample(fraction=1, shuffle=True, seed=4), repetitions=200, **options
        )
        assert one == other
        assert 0 <= one.low < one.high
        scaled = frame.with_columns(pl.col("weight") * 2.5)
        again = bootstrap_fields(scaled, repetitions=200, **options)
        assert (again.low, again.high) == pytest.approx((one.low, one.high))


@pytest.mark.parametrize("name", KNOWN)
def test_one_unit_has_no_interval(name: str) -> None:
    metric, part = KNOWN[name]
    happened, probability = sample_of()

    with pytest.raises(InsufficientDataError, match="at least two"):
        few(metric, happened, probability, clusters=np.zeros(400), part=part)


@pytest.mark.parametrize("name", ["ratio", "log_loss", "brier", "expected", "maximum", "smooth"])
def test_one_row_has_a_value_but_no_interval(name: str) -> None:
    with pytest.raises(InsufficientDataError, match="at least two"):
        few(KNOWN[name][0], [1], [0.5])


@pytest.mark.parametrize("name", ["log_loss", "brier", "expected", "adaptive", "smooth"])
def test_one_class_and_equal_probabilities_have_intervals(name: str) -> None:
    for happened, probability in (([0] * 30, np.linspace(0.1, 0.3, 30)), ([0, 1] * 15, [0.3] * 30)):
        found = few(KNOWN[name][0], happened, probability)

        assert np.isfinite([found.value, found.low, found.high]).all()
        assert found.low <= found.high


@pytest.mark.parametrize("name", OF_WORLDS)
def test_a_lucky_sample_does_not_know_its_error_exactly(name: str) -> None:
    metric, part = OF_WORLDS[name]

    found = few(metric, [0, 1] * 40, [0.5] * 80, part=part)

    assert found.low == 0
    assert found.high > (0.003 if part == "reliability" else 0.05)


@pytest.mark.parametrize("name", [*OF_WORLDS, "isotonic_reliability", "isotonic_resolution"])
def test_ends_are_values_that_the_figure_can_have(name: str) -> None:
    metric, part = KNOWN[name]

    found = few(metric, [0, 1, 1, 0, 1], [0.9, 0.2, 0.3, 0.1, 0.9], part=part, level=0.999)

    assert 0 <= found.low <= found.high <= 1


def test_too_few_events_to_resample_are_told() -> None:
    with pytest.raises(InsufficientDataError, match="of 200 resamples"):
        few(calibration_ratio, [1] + [0] * 50, [0.1] * 51)


@pytest.mark.parametrize(
    ("options", "error", "told"),
    [
        ({"level": 1}, CalibrationError, "level"),
        ({"repetitions": 20}, CalibrationError, "repetitions"),
        ({"clusters": ["a", None, "b"]}, InvalidSampleError, "1 of 3 are null"),
        ({"clusters": [1, 2]}, InvalidSampleError, "2 rows, y_true 3"),
    ],
)
def test_wrong_options_are_told(options: dict, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        bootstrap(brier_score, [0, 1, 1], [0.2, 0.5, 0.7], **options)


def test_a_part_that_is_held_has_no_interval() -> None:
    with pytest.raises(CalibrationError, match="held at 1"):
        few(calibration_in_the_large, *sample_of(), part="slope")


def test_an_unknown_part_of_the_field_errors_is_told() -> None:
    frame = pl.DataFrame({"y_true": [0, 1], "y_prob": [0.2, 0.4], "slot": [1, 2]})

    with pytest.raises(CalibrationError, match="expected or relative"):
        bootstrap_fields(frame, by="slot", part="whole")
    assert isinstance(bootstrap_fields(frame, by="slot"), Interval)


def test_an_interval_can_be_unpacked_and_formatted() -> None:
    found = Interval(0.51234, 0.4, 0.6)

    value, low, high = found
    assert (value, low, high) == (0.51234, 0.4, 0.6)
    assert f"{found:.2f}" == "0.51 (0.40 to 0.60)"
    assert f"{MaximumError(0.1234, 0.2, 0.4, ()):.2f}" == "0.12"


def test_figures_of_several_parts_need_one() -> None:
    with pytest.raises(CalibrationError, match="name a part, one of intercept, slope"):
        bootstrap(logistic_recalibration, [0, 1, 1, 0], [0.2, 0.3, 0.6, 0.7])
    with pytest.raises(CalibrationError, match="part = 'foo': the metric has intercept"):
        bootstrap(logistic_recalibration, [0, 1, 1, 0], [0.2, 0.3, 0.6, 0.7], part="foo")


def test_clusters_may_be_dates_in_a_list() -> None:
    score = np.linspace(0.1, 0.9, 60)
    happened = np.arange(60) % 2 == 0
    days = [date(2026, 1, 1 + row % 20) for row in range(60)]

    dated = bootstrap(log_loss, happened, score, clusters=days, repetitions=100)

    numbered = [day.day for day in days]
    assert dated == bootstrap(log_loss, happened, score, clusters=numbered, repetitions=100)
    with pytest.raises(InvalidSampleError, match="1 of 60 are null"):
        bootstrap(log_loss, happened, score, clusters=[*range(59), float("nan")])
    with pytest.raises(InvalidSampleError, match="not a vector of one type"):
        bootstrap(log_loss, happened, score, clusters="user")


def test_too_many_segments_are_refused() -> None:
    frame = pl.DataFrame({"id": np.arange(20_001), "y_true": 0, "y_prob": 0.1})

    with pytest.raises(CalibrationError, match="20001 segments"):
        bootstrap_fields(frame, by="id")


def test_help_names_what_is_taken_by_a_short_type() -> None:
    for function in (log_loss, bootstrap, brier_decomposition):
        assert "y_true: 'npt.ArrayLike'" in str(inspect.signature(function))
