"""The curve of delays equals Kaplan-Meier's, and its interval covers the truth."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import KaplanMeierFitter
from polars.testing import assert_frame_equal

from calibration.delays import DelayCurve, DelayMethod, delay_curve
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError

NOW = 720.0


def late_events(count: int, seed: int, *, now: float = NOW) -> pl.DataFrame:
    """Return events with log-normal delays of at most 240 hours, made before now; some unseen."""
    rng = np.random.default_rng(seed)
    delay = np.minimum(np.exp(rng.normal(3, 1.2, count)), 240 * rng.random(count) ** 0.2)
    made = now * rng.random(count)
    return pl.DataFrame({"event_time": made, "arrival_time": made + delay}).with_columns(
        count=pl.Series(rng.integers(1, 4, count), dtype=pl.Float64)
    )


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weight", [None, "count"])
def test_reversed_time_curve_and_interval_are_kaplan_meiers_with_late_entry(
    seed: int, weight: str | None
) -> None:
    events = late_events(700, seed)
    horizon = 200.0

    curve = delay_curve(events, now=NOW, weight=weight, horizon=horizon)

    # lifelines knows no right truncation; with time reversed it is late entry. Its events die at
    # horizon - delay, and a share that has arrived by x is what survives until just before.
    seen = events.with_columns(
        delay=pl.col("arrival_time") - pl.col("event_time"), window=NOW - pl.col("event_time")
    ).filter(pl.col("delay") <= pl.col("window"), pl.col("delay") <= horizon)
    oracle = KaplanMeierFitter(alpha=0.05).fit(
        horizon - seen["delay"].to_numpy(),
        entry=np.maximum(horizon - seen["window"].to_numpy(), 0) - 1e-9,
        weights=seen[weight].to_numpy() if weight else None,
    )
    age = curve.frame["delay"].to_numpy()
    before = np.searchsorted(oracle.timeline, horizon - age - 1e-6, side="right") - 1
    expected = oracle.survival_function_.to_numpy()[before, 0]
    bounds = oracle.confidence_interval_.to_numpy()[before]
    assert np.abs(curve.frame["arrived"].to_numpy() - expected).max() < 1e-9
    inside = slice(0, -1)  # at 1 the interval of lifelines is 1 as well
    assert np.abs(curve.frame["low"].to_numpy() - bounds[:, 0])[inside].max() < 1e-9
    assert np.abs(curve.frame["high"].to_numpy() - bounds[:, 1])[inside].max() < 1e-9


@pytest.mark.parametrize("seed", range(3))
def test_matured_curve_is_one_less_kaplan_meier_where_nothing_is_censored(seed: int) -> None:
    events = late_events(800, seed)
    horizon = 240.0

    curve = delay_curve(events, now=NOW, method=DelayMethod.MATURED_COHORTS, horizon=horizon)

    old = events.filter(NOW - pl.col("event_time") >= horizon)
    delays = (old["arrival_time"] - old["event_time"]).to_numpy()
    oracle = KaplanMeierFitter().fit(delays)
    expected = 1 - oracle.survival_function_at_times(curve.frame["delay"]).to_numpy()
    assert np.abs(curve.arrived(curve.frame["delay"]) - expected).max() < 1e-12


def test_matured_curve_is_kaplan_meiers_of_all_events_that_are_bound_to_arrive() -> None:
    events = late_events(40_000, 5)
    windows = NOW - events["event_time"].to_numpy()
    delays = (events["arrival_time"] - events["event_time"]).to_numpy()
    ages = np.array([6.0, 24.0, 48.0, 96.0, 168.0])

    curves = [
        delay_curve(events, now=NOW, method=method, horizon=240).arrived(ages)
        for method in DelayMethod
    ]

    # Kaplan-Meier censors on the right and so must know of the events that have not arrived yet;
    # ours do not, and agree within chance.
    oracle = KaplanMeierFitter().fit(np.minimum(delays, windows), delays <= windows)
    expected = 1 - oracle.survival_function_at_times(ages).to_numpy()
    assert np.abs(curves[0] - expected).max() < 0.012
    assert np.abs(curves[1] - expected).max() < 0.012


def test_delays_of_seen_events_alone_would_be_too_short() -> None:
    events = late_events(40_000, 6, now=120.0)
    delay = (events["arrival_time"] - events["event_time"]).to_numpy()
    seen = delay <= 120 - events["event_time"].to_numpy()

    curve = delay_curve(events, now=120.0, horizon=110.0)

    true_share = (delay <= 24).sum() / (delay <= 110).sum()
    naive_share = (delay[seen] <= 24).sum() / (delay[seen] <= 110).sum()
    assert naive_share - true_share > 0.08
    assert abs(curve.arrived([24.0])[0] - true_share) < 0.015


def test_interval_of_the_curve_covers_the_truth_as_often_as_it_says() -> None:
    hits = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        made = 200 * rng.random(400)
        events = pl.DataFrame({"event_time": made, "arrival_time": made + 100 * rng.random(400)})
        frame = delay_curve(events, now=200.0, horizon=100.0).frame
        row = frame.filter(pl.col("delay") <= 40).tail(1).row(0, named=True)
        hits.append(row["low"] <= 0.4 <= row["high"])
    assert 0.92 <= np.mean(hits) <= 0.98


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60), st.integers(0, 3)), min_size=1))
def test_event_of_weight_two_counts_as_two_events(rows: list[tuple[int, int, int]]) -> None:
    frame = pl.DataFrame(
        [(float(made), float(made + delay), float(weight)) for made, delay, weight in rows],
        orient="row",
        schema=["event_time", "arrival_time", "weight"],
    )
    copies = frame.select(
        pl.all().repeat_by(pl.col("weight").cast(pl.Int64)).explode()
    ).drop_nulls()
    if copies.filter(pl.col("arrival_time") <= 60).is_empty():
        with pytest.raises(InsufficientDataError):
            delay_curve(frame, now=60.0, weight="weight")
        return

    weighted = delay_curve(frame, now=60.0, weight="weight").frame
    repeated = delay_curve(copies, now=60.0).frame
    scaled = delay_curve(frame.with_columns(pl.col("weight") * 4), now=60.0, weight="weight").frame

    assert np.allclose(weighted.to_numpy(), repeated.to_numpy(), rtol=1e-9)
    assert np.allclose(weighted["arrived"], scaled["arrived"], rtol=1e-12)


@pytest.mark.parametrize("weight", [None, "count"])
@pytest.mark.parametrize("method", DelayMethod)
def test_curve_does_not_depend_on_the_parts_events_are_read_in(
    weight: str | None, method: DelayMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = late_events(600, 3).with_columns(
        pl.col("event_time", "arrival_time").round(1)  # ties, which parts may split
    )
    horizon = 100.0 if method is DelayMethod.MATURED_COHORTS else None
    whole = delay_curve(events, now=NOW, weight=weight, method=method, horizon=horizon)

    for module in ("late_events", "product_limit"):
        monkeypatch.setattr(f"calibration.{module}._ROWS_AT_ONCE", 37)

    parts = delay_curve(events, now=NOW, weight=weight, method=method, horizon=horizon)
    assert_frame_equal(parts.frame, whole.frame, rel_tol=1e-12)


def test_a_long_curve_leaves_out_what_hardly_rises(monkeypatch: pytest.MonkeyPatch) -> None:
    events = late_events(20_000, 4)
    whole = delay_curve(events, now=NOW)
    monkeypatch.setattr("calibration.product_limit.MOST_DELAYS", 10_000)
    monkeypatch.setattr("calibration.product_limit._STEPS", 500)
    monkeypatch.setattr("calibration.product_limit._ODDS_STEPS", 100)

    short = delay_curve(events, now=NOW)

    assert len(short.frame) < 2_000 < 10_000 < len(whole.frame)
    kept = whole.frame.filter(pl.col("delay").is_in(short.frame["delay"].implode()))
    assert_frame_equal(short.frame, kept)
    assert short.frame.tail(1).rows() == whole.frame.tail(1).rows()
    share = whole.frame["arrived"].to_numpy()[:-1]
    off = share - short.arrived(whole.frame["delay"])[:-1]
    step = np.diff(share, prepend=0)
    assert (off >= 0).all()
    assert off.max() <= 1 / 500 + step.max()
    inner = step < share / 100
    assert (off[inner] <= np.minimum(share, 1 - share)[inner] / 100 + step[inner]).all()


def test_curve_rises_to_one_and_survives_its_saving(tmp_path: Path) -> None:
    curve = delay_curve(late_events(500, 1), now=NOW)
    curve.frame.write_parquet(tmp_path / "curve.parquet")

    read = DelayCurve.of(pl.read_parquet(tmp_path / "curve.parquet"))

    ages = np.linspace(0, 400, 100)
    assert read.frame.columns == ["delay", "arrived", "low", "high", "at_risk"]
    assert np.array_equal(read.arrived(ages), curve.arrived(ages))
    assert np.all(np.diff(curve.arrived(ages)) >= 0)
    assert curve.arrived([0.0, 1e6]).tolist() == [0.0, 1.0]
    assert curve.arrived([curve.age_at(0.5)])[0] >= 0.5 > curve.arrived([curve.age_at(0.5) - 1e-9])


def test_datetimes_give_the_same_curve_as_hours() -> None:
    start = datetime(2026, 1, 1)  # noqa: DTZ001 -- UTC without a zone, as the columns
    hours = late_events(200, 2).with_columns(pl.col("event_time", "arrival_time").round(3))
    times = hours.with_columns(
        (pl.lit(start) + pl.duration(milliseconds=pl.col(name) * 3_600_000)).alias(name)
        for name in ("event_time", "arrival_time")
    )

    ours = delay_curve(times, now=start + timedelta(hours=NOW), horizon=100)
    theirs = delay_curve(hours, now=NOW, horizon=100)

    ages = np.linspace(0, 110, 50) + 1e-4  # apart from the delays, which are multiples of .001
    assert np.allclose(ours.arrived(ages), theirs.arrived(ages), atol=1e-9)


def test_one_event_is_a_curve_of_one_step() -> None:
    frame = pl.DataFrame({"event_time": [0.0], "arrival_time": [5.0]})

    curve = delay_curve(frame, now=10.0)

    assert curve.frame.rows() == [(5.0, 1.0, 1.0, 1.0, 1.0)]


@pytest.mark.parametrize(
    ("columns", "options", "error", "told"),
    [
        ({"event_time": [1.0], "arrival_time": [9.0]}, {}, InsufficientDataError, "arrived by now"),
        ({"event_time": [1.0], "arrival_time": [None]}, {}, InsufficientDataError, "arrived"),
        ({"event_time": [3.0], "arrival_time": [2.0]}, {}, InvalidSampleError, "before they are"),
        ({"event_time": [None], "arrival_time": [2.0]}, {}, InvalidSampleError, "missing"),
        ({"event_time": [1.0], "arrived": [2.0]}, {}, InvalidSampleError, "no column arrival_time"),
        ({"event_time": [1.0], "arrival_time": ["x"]}, {}, InvalidSampleError, "is of String"),
        (
            {"event_time": [1.0], "arrival_time": [2.0], "w": [-1.0]},
            {"weight": "w"},
            InvalidSampleError,
            "at least 0",
        ),
        (
            {"event_time": [1.0], "arrival_time": [2.0], "w": [0.0]},
            {"weight": "w"},
            InsufficientDataError,
            "no event",
        ),
        (
            {"event_time": [1.0], "arrival_time": [2.0]},
            {"method": DelayMethod.MATURED_COHORTS},
            InvalidSampleError,
            "give a horizon",
        ),
        ({"event_time": [float("nan")], "arrival_time": [2.0]}, {}, InvalidSampleError, "NaN"),
        ({"event_time": [1.0], "arrival_time": [2.0]}, {"level": 1}, CalibrationError, "level"),
        (
            {"event_time": [1.0], "arrival_time": [2.0]},
            {"horizon": 0.5},
            InsufficientDataError,
            "within 0.5 hours",
        ),
    ],
)
def test_events_that_tell_nothing_are_refused(
    columns: dict[str, list[object]], options: dict[str, object], error: type, told: str
) -> None:
    frame = pl.DataFrame(columns)

    with pytest.raises(error, match=told):
        delay_curve(frame, now=5.0, **options)


def test_frame_that_is_no_curve_is_refused() -> None:
    share = [0.2, 0.5, 1.0]
    good = pl.DataFrame(
        {"delay": [1.0, 2.0, 3.0], "arrived": share, "low": share, "high": share, "at_risk": 9.0}
    )

    assert DelayCurve.of(good).arrived([2.0]).tolist() == [0.5]
    for bad in (good.drop("low"), good.reverse(), good.head(2), good.clear()):
        with pytest.raises(InvalidSampleError, match="delay curve"):
            DelayCurve.of(bad)


@pytest.mark.parametrize("kind", [pl.UInt8, pl.UInt32, pl.Int8, pl.Int64])
def test_times_of_any_whole_number_are_those_of_floats(kind: pl.DataType) -> None:
    hours = pl.DataFrame({"event_time": [1, 2, 50, 60], "arrival_time": [90, 4, 51, 99]})

    curve = delay_curve(hours.cast(kind), now=120.0)

    assert curve.frame.equals(delay_curve(hours.cast(pl.Float64), now=120.0).frame)


def test_durations_are_no_times() -> None:
    spans = pl.DataFrame({"event_time": [1, 2], "arrival_time": [4, 5]}).cast(pl.Duration("ms"))

    with pytest.raises(InvalidSampleError, match="give datetimes, or hours as numbers"):
        delay_curve(spans, now=120.0)
    with pytest.raises(InvalidSampleError, match="give a datetime, or hours as a number"):
        delay_curve(spans.cast(pl.Int64), now=np.timedelta64(3, "h"))  # type: ignore[arg-type]
    curve = delay_curve(spans.cast(pl.Int64), now=9.0)
    with pytest.raises(InvalidSampleError, match="age holds times or durations"):
        curve.arrived(np.array([1, 2], dtype="m8[h]"))
