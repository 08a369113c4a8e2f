"""Changes are found on their day, calm months have none, and young labels are not judged."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.drift import _chance, _changes, calibration_by_day
from calibration.errors import CalibrationError
from calibration.metrics import calibration_ratio

FIRST = date(2026, 3, 1)
Floats = npt.NDArray[np.float64]


def month(seed: int, *, jump: float = 1.0, on: int = 15, rows: int = 2_000) -> pl.DataFrame:
    """Return 30 days of rows, whose events are more by a factor from a day on."""
    rng = np.random.default_rng(seed)
    number = np.repeat(np.arange(30), rows)
    probability = rng.beta(2, 18, len(number))
    happened = rng.random(len(number)) < probability * np.where(number >= on, jump, 1)
    return pl.DataFrame(
        {
            "day": pl.Series([FIRST + timedelta(days=n) for n in range(30)])[number],
            "y_true": happened,
            "y_prob": probability,
            "weight": rng.integers(0, 3, len(number)).astype(np.float64),
        }
    )


def daily_changes(seed: int, *, events: float, unrest: float = 0.0) -> list[int]:
    """Return the changes of a calibrated month of Poisson events, given their expected number."""
    rng = np.random.default_rng(seed)
    expected = np.full(30, events)
    counts = rng.poisson(expected * np.exp(rng.normal(0, unrest, 30))).astype(np.float64)
    return _changes(counts, expected, expected, 0.01)


@pytest.mark.parametrize("events", [4.0, 400.0])
def test_at_most_one_in_twenty_calibrated_months_has_a_change(events: float) -> None:
    alarms = sum(bool(daily_changes(seed, events=events)) for seed in range(200))

    assert alarms <= 10


def test_days_that_differ_more_than_chance_are_no_changes() -> None:
    alarms = sum(bool(daily_changes(seed, events=400, unrest=0.2)) for seed in range(200))

    assert alarms <= 16


@pytest.mark.parametrize("jump", [0.75, 1.3])
@pytest.mark.parametrize("on", [4, 15, 25])
def test_jump_is_found_on_its_day(jump: float, on: int) -> None:
    for seed in range(2):
        table = calibration_by_day(month(seed, jump=jump, on=on))

        found = table.filter("change")["day"].to_list()
        assert len(found) == 1
        assert abs((found[0] - FIRST).days - on) <= 1


def test_two_jumps_are_found() -> None:
    expected = np.full(30, 400.0)
    level = np.repeat([1.0, 1.3, 0.9], 10)
    events = np.random.default_rng(1).poisson(expected * level).astype(np.float64)

    assert _changes(events, expected, expected, 0.01) == [10, 20]


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("largest", [1.5, 2.5, 3.2])
def test_chance_of_the_largest_gain_is_that_of_simulated_bridges(
    count: int, largest: float
) -> None:
    rng = np.random.default_rng(count)
    share = np.cumsum(rng.uniform(0.5, 2, count))
    steps = rng.normal(size=(20_000, count)) * np.sqrt(np.diff(share, prepend=0))
    share /= share[-1]
    walks = np.cumsum(steps, axis=1) / np.sqrt((steps**2).mean(axis=0).sum())
    bridges = walks[:, :-1] - share[:-1] * walks[:, -1:]
    standardised = np.abs(bridges) / np.sqrt(share[:-1] * (1 - share[:-1]))

    ours = _chance(largest, share[:-1])

    assert abs(ours - (standardised.max(axis=1) > largest).mean()) < 0.012


def test_each_day_has_the_ratio_of_its_rows() -> None:
    frame = month(2)

    table = calibration_by_day(frame.sample(fraction=1, shuffle=True, seed=1), weight="weight")

    assert table["day"].to_list() == [FIRST + timedelta(days=n) for n in range(30)]
    for (day,), part in frame.group_by("day"):
        row = table.row(by_predicate=pl.col("day") == day, named=True)
        ratio = calibration_ratio(part["y_true"], part["y_prob"], weight=part["weight"])
        assert row["ratio"] == pytest.approx(ratio, rel=1e-9)
        assert row["low"] < row["ratio"] < row["high"]
        assert row["rows"] == (part["weight"] > 0).sum()


def test_days_of_labels_that_are_not_final_are_provisional_and_not_looked_at() -> None:
    frame = month(3, jump=0.4, on=27)
    last = FIRST + timedelta(days=26)
    flags = frame.with_columns(
        mature=pl.when(pl.col("y_prob") > 0.01).then((pl.col("day") <= last).replace(False, None))
    ).with_columns(pl.col("mature").fill_null(pl.col("day") <= last))

    judged = calibration_by_day(frame)
    by_argument = calibration_by_day(frame, mature_until=last)
    by_column = calibration_by_day(flags, mature="mature")

    assert judged["change"].any()
    assert not judged["provisional"].any()
    assert by_argument["provisional"].to_list() == [False] * 27 + [True] * 3
    assert not by_argument["change"].any()
    assert by_argument.equals(by_column)
    assert by_argument["ratio"].equals(judged["ratio"])


def test_null_of_maturity_is_not_mature_and_rows_of_weight_zero_say_nothing() -> None:
    frame = pl.DataFrame(
        {
            "day": [1, 2, 2, 3, 3],
            "y_true": [1, 0, 1, 0, 1],
            "y_prob": [0.5] * 5,
            "mature": [True, True, None, True, False],
            "weight": [1, 1, 1, 1, 0],
        }
    )

    table = calibration_by_day(frame, mature="mature", weight="weight")

    assert table["provisional"].to_list() == [False, True, False]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 5), st.booleans(), st.floats(0, 1), st.integers(0, 3)),
        min_size=1,
        max_size=40,
    )
)
def test_row_of_weight_two_counts_as_two_rows(rows: list[tuple[int, bool, float, int]]) -> None:
    columns = ["day", "y_true", "y_prob", "weight"]
    frame = pl.DataFrame([*rows, (3, True, 0.5, 1)], orient="row", schema=columns)
    copies = frame.select(pl.all().repeat_by("weight")).filter(pl.col("weight").list.len() > 0)

    weighted = calibration_by_day(frame, weight="weight")
    repeated = calibration_by_day(copies.explode(pl.all()))

    for name in ("day", "weight", "events", "expected", "ratio", "low", "high", "change"):
        ours, theirs = (
            table[name].cast(pl.Float64).fill_null(-1) for table in (weighted, repeated)
        )
        assert np.allclose(ours, theirs, rtol=1e-6, atol=1e-9), name


@pytest.mark.parametrize("happened", [0, 1])
def test_one_day_without_contrast_has_a_stated_result(happened: int) -> None:
    frame = pl.DataFrame({"day": [1, 1], "y_true": [happened] * 2, "y_prob": [0.5, 0.5]})

    row = calibration_by_day(frame).row(0, named=True)

    assert row["ratio"] == (1 / 2 if happened else None)
    assert (row["high"] is None) == (not happened)
    assert not row["change"]


def test_days_on_which_nothing_is_expected_are_not_looked_at() -> None:
    frame = month(4).with_columns(
        pl.when(pl.col("day") == FIRST + timedelta(days=9))
        .then(0.0)
        .otherwise("y_prob")
        .alias("y_prob")
    )

    table = calibration_by_day(frame)

    assert not table["change"].any()
    assert table["ratio"][9] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"day": "date"}, "no column date"),
        ({"mature": "ripe"}, "no column ripe"),
        ({"mature": "y_prob"}, "give booleans"),
        ({"false_alarms": 0.0}, "between 0 and 1"),
        ({"level": 1.0}, "between 0 and 1"),
        ({"day": "gaps"}, "1 days are missing"),
    ],
)
def test_what_cannot_be_asked_is_refused(options: dict[str, object], told: str) -> None:
    frame = pl.DataFrame({"day": [1, 2], "gaps": [1, None], "y_true": [0, 1], "y_prob": [0.5, 0.5]})

    with pytest.raises(CalibrationError, match=told):
        calibration_by_day(frame, **options)


@pytest.mark.parametrize(
    ("days", "options", "told"),
    [
        (pl.Series([0, 10**11]).cast(pl.Datetime), {}, "take .dt.date"),
        (["2026-01-01", "2026-01-02"], {}, "take .str.to_date"),
        ([1.0, float("nan")], {}, "1 days are missing"),
        ([1, 2], {"mature_until": date(2026, 1, 1)}, "give a day of that type"),
        ([date(2026, 1, 1), date(2026, 1, 2)], {"mature_until": 3}, "days are of Date"),
    ],
)
def test_what_are_no_days_is_refused(
    days: list[object], options: dict[str, object], told: str
) -> None:
    frame = pl.DataFrame({"day": days, "y_true": [0, 1], "y_prob": [0.5, 0.5]})

    with pytest.raises(CalibrationError, match=told):
        calibration_by_day(frame, **options)


def test_few_clusters_that_are_alike_do_not_make_a_day_certain() -> None:
    frame = pl.DataFrame(
        {"day": [1] * 6, "user": [0, 0, 1, 1, 2, 2], "y_true": [0, 1] * 3, "y_prob": [0.4] * 6}
    )

    day = calibration_by_day(frame, cluster="user")

    assert day["low"][0] < 0.6
    assert day["high"][0] > 1.2
