"""Figures so far, read with the curve of delays, tell the final ones."""

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.delays import DelayCurve, delay_curve
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.maturity import (
    maturity_aware_calibration_ratio,
    maturity_weights,
    restrict_to_matured,
)
from calibration.metrics import calibration_ratio

Floats = npt.NDArray[np.float64]


def share_arrived(age: npt.ArrayLike) -> Floats:
    """Return the true curve of the delays that scored_rows draws: uniform over 100 hours."""
    return np.clip(np.asarray(age) / 100, 0, 1)


def scored_rows(count: int, seed: int, *, rate: float = 0.1) -> tuple[Floats, Floats, Floats]:
    """Return labels so far, probabilities (all right), and ages between 20 and 150 hours."""
    rng = np.random.default_rng(seed)
    probability = np.minimum(rng.gamma(2, rate / 2, count), 0.8)
    age = rng.uniform(20, 150, count)
    arrived = (rng.random(count) < probability) & (100 * rng.random(count) <= age)
    return arrived.astype(np.float64), probability, age


def exact_curve(steps: int = 1000, at_risk: float = 1e9) -> DelayCurve:
    delay = np.linspace(0.1, 100, steps)
    share = share_arrived(delay)
    columns = {"delay": delay, "arrived": share, "low": share, "high": share}
    return DelayCurve.of(pl.DataFrame(columns).with_columns(at_risk=pl.lit(at_risk)))


def test_maturity_aware_ratio_is_unbiased_and_its_interval_covers() -> None:
    curve = exact_curve()
    results = [
        maturity_aware_calibration_ratio(y, 1.25 * p, age=age, curve=curve)
        for y, p, age in (scored_rows(4_000, seed) for seed in range(300))
    ]

    # The ratio of a random denominator is above the ratio of means by its relative variance.
    values = np.array([result.value for result in results])
    error = values.std() / np.sqrt(len(values))
    assert abs(values.mean() - 1.25 * (1 + values.var() / 1.25**2)) < 3 * error
    assert 0.93 <= np.mean([result.low <= 1.25 <= result.high for result in results]) <= 0.98
    assert all(result.low < result.value < result.high for result in results)


def test_error_of_the_curve_is_part_of_the_interval() -> None:
    y, probability, age = scored_rows(4_000, 1)

    sure, unsure = (
        maturity_aware_calibration_ratio(
            y, probability, age=age, curve=exact_curve(at_risk=at_risk)
        )
        for at_risk in (1e9, 20.0)
    )

    assert sure.value == unsure.value
    assert unsure.high - unsure.low > 1.2 * (sure.high - sure.low)


def test_interval_with_a_learned_curve_covers_as_often_as_it_says() -> None:
    hits = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        made, delay = 200 * rng.random(3_000), 100 * rng.random(3_000)
        converted = rng.random(3_000) < 0.1
        arrival = np.where(converted, made + delay, np.nan)
        events = pl.DataFrame({"event_time": made, "arrival_time": arrival}).filter(converted)
        curve = delay_curve(events, now=200.0, horizon=100.0)
        fresh = made > 100
        result = maturity_aware_calibration_ratio(
            (arrival <= 200.0)[fresh],
            np.full(fresh.sum(), 0.1),
            age=200 - made[fresh],
            curve=curve,
        )
        # rows are left out by age, not by what happened, so the ratio is still that of the rest
        hits.append(result.low <= 1 <= result.high)
    assert 0.93 <= np.mean(hits) <= 0.985


def test_matured_rows_have_the_naive_ratio_and_are_final() -> None:
    y, probability, age = scored_rows(2_000, 3)

    result = maturity_aware_calibration_ratio(y, probability, age=age + 100, curve=exact_curve())

    assert result.value == pytest.approx(calibration_ratio(y, probability), rel=1e-12)
    assert result.expected_events == result.arrived_events == y.sum()
    assert not result.provisional
    assert result.left_out == 0


def test_figure_is_provisional_while_events_are_to_come_or_rows_are_left_out() -> None:
    curve = exact_curve()
    y, probability, old = np.array([1, 0, 0, 0]), np.full(4, 0.3), np.full(4, 97.0)

    at_97 = maturity_aware_calibration_ratio(y, probability, age=old, curve=curve)
    strict = maturity_aware_calibration_ratio(
        y, probability, age=old, curve=curve, provisional_above=0.02
    )
    with_young = maturity_aware_calibration_ratio(
        y, probability, age=[97.0, 97.0, 97.0, 5.0], curve=curve
    )

    assert (at_97.provisional, strict.provisional, with_young.provisional) == (False, True, True)
    assert with_young.left_out == 1
    assert with_young.value == pytest.approx(0.75 * at_97.value)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.booleans(), st.floats(0, 1), st.floats(11, 130), st.integers(0, 3)),
        min_size=1,
        max_size=20,
    ),
    st.floats(0.1, 10),
)
def test_row_of_weight_two_counts_as_two_rows(
    rows: list[tuple[bool, float, float, int]], scale: float
) -> None:
    rows = [*rows, (True, 0.5, 60.0, 1)]
    y, probability, age, weight = (np.array(column) for column in zip(*rows, strict=True))
    curve = exact_curve(steps=50, at_risk=300)

    weighted = maturity_aware_calibration_ratio(y, probability, age=age, curve=curve, weight=weight)
    repeated = maturity_aware_calibration_ratio(
        *(np.repeat(column, weight) for column in (y, probability)),
        age=np.repeat(age, weight),
        curve=curve,
    )
    scaled = maturity_aware_calibration_ratio(
        y, probability, age=age, curve=curve, weight=weight * scale
    )

    for name in ("value", "low", "high", "expected_events", "arrived_events", "left_out"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-9)
    assert weighted.provisional == repeated.provisional
    assert scaled.value == pytest.approx(weighted.value, rel=1e-9)
    assert scaled.expected_events == pytest.approx(scale * weighted.expected_events, rel=1e-9)


def test_weighted_labels_so_far_have_the_weight_of_final_ones() -> None:
    y, probability, age = scored_rows(400_000, 4, rate=0.3)

    weights = maturity_weights(y, probability, age=age, curve=exact_curve())

    for place in np.array_split(np.argsort(probability), 5):
        events, size = (weights * y)[place].sum(), weights[place].sum()
        assert size == pytest.approx(len(place), rel=0.01)
        assert events == pytest.approx(probability[place].sum(), rel=0.02)
        assert y[place].sum() < 0.85 * events


def test_weight_of_events_does_not_hang_on_the_probabilities() -> None:
    y, probability, age = scored_rows(1_000, 5)
    curve = exact_curve()

    right = maturity_weights(y, probability, age=age, curve=curve)
    wrong = maturity_weights(y, np.sqrt(probability), age=age, curve=curve)

    assert np.array_equal(right[y == 1], wrong[y == 1])
    assert np.all(wrong[(y == 0) & (age < 99)] < right[(y == 0) & (age < 99)])


def test_weights_of_certain_young_and_matured_rows_are_stated() -> None:
    weights = maturity_weights(
        [0, 1, 0, 0, 1], [1.0, 0.0, 0.5, 0.5, 0.5], age=[50, 50, 5, 150, 150],
        curve=exact_curve(), weight=[1, 1, 1, 1, 3],
    )  # fmt: skip

    assert weights == pytest.approx([0.0, 2.0, 0.0, 1.0, 3.0], rel=0.01)


def test_matured_rows_are_those_past_the_age_of_the_share() -> None:
    frame = pl.DataFrame({"age": [10.0, 49.0, 51.0, 200.0]})

    kept = restrict_to_matured(frame, curve=exact_curve(), share=0.5)

    assert kept["age"].to_list() == [51.0, 200.0]


def test_ratio_without_usable_events_has_no_value() -> None:
    curve = exact_curve()
    with pytest.raises(InsufficientDataError, match="no event has arrived"):
        maturity_aware_calibration_ratio([0, 0], [0.1, 0.1], age=[90, 90], curve=curve)
    with pytest.raises(InsufficientDataError, match="no row is old enough"):
        maturity_aware_calibration_ratio([0, 1], [0.1, 0.1], age=[2, 2], curve=curve)


@pytest.mark.parametrize("age", [[1.0], [1.0, float("nan")], [1.0, -1.0]])
def test_ages_that_cannot_be_are_refused(age: list[float]) -> None:
    with pytest.raises(InvalidSampleError, match="age"):
        maturity_aware_calibration_ratio([0, 1], [0.1, 0.1], age=age, curve=exact_curve())


def test_shares_out_of_range_are_refused() -> None:
    curve = exact_curve()
    with pytest.raises(InvalidSampleError, match="least_arrived"):
        maturity_weights([1], [0.5], age=[50.0], curve=curve, least_arrived=0)
    with pytest.raises(InvalidSampleError, match="share"):
        restrict_to_matured(pl.DataFrame({"age": [1.0]}), curve=curve, share=1.5)
    with pytest.raises(InvalidSampleError, match="no column age"):
        restrict_to_matured(pl.DataFrame({"days": [1.0]}), curve=curve)


def test_ages_are_numbers_of_hours() -> None:
    curve = delay_curve(pl.DataFrame({"event_time": [1.0], "arrival_time": [4.0]}), now=9.0)
    hours = pl.Series("age", [1, 2], dtype=pl.Int64)

    for ages, told in (
        (hours.cast(pl.Duration), "total_seconds"),
        (pl.Series("age", [1.0, float("nan")]), "1 ages are NaN or null"),
        (pl.Series("age", [1, None]), "1 ages are NaN or null"),
    ):
        with pytest.raises(InvalidSampleError, match=told):
            restrict_to_matured(ages.to_frame(), curve=curve)
    with pytest.raises(InvalidSampleError, match="age holds times or durations"):
        maturity_weights([1, 0], [0.5, 0.5], age=hours.cast(pl.Duration), curve=curve)


def test_tiny_weights_leave_the_mature_ratio_without_an_upper_end() -> None:
    curve = delay_curve(pl.DataFrame({"event_time": [1.0], "arrival_time": [4.0]}), now=9.0)

    told = maturity_aware_calibration_ratio(
        [1, 0], [0.5, 0.5], age=[5.0, 5.0], curve=curve, weight=[1e-45, 1e-45]
    )

    assert told.value == pytest.approx(1)
    assert told.low < 1e-30
    assert told.high > 1e30
    with pytest.raises(CalibrationError, match="level = 2"):
        maturity_aware_calibration_ratio([1], [0.5], age=[5.0], curve=curve, level=2)
