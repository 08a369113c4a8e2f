"""Times of TikTok's events, and the log days that they come to."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.importers.tiktok_payloads import (
    MOMENT,
    body,
    event,
    import_events,
    read,
    refusals,
)
from warehouse.importers.event_values import moment


@pytest.mark.parametrize("time", [None, "yesterday", True, "NaN", "inf", {}])
def test_event_without_a_time_goes_to_the_first_day(tmp_path: Path, time: object) -> None:
    later = event(event_time=1767600000 + 86400)

    import_events(tmp_path, body(later, event(), event(event_id="e2", event_time=time)))

    first = pl.read_parquet(tmp_path / "out" / "date=2026-01-05" / "signals.parquet")
    assert first.select("signal_id", "event_time").rows() == [("e1", MOMENT), ("e2", None)]


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        (0, "1970-01-01"),
        (20260105, "1970-08-23T11:48:25"),
        (4102444800, "2100-01-01"),
        (-1e300, "0001-01-01"),
        (1e300, "9999-12-31"),
        (1767600000000, "9999-12-31"),
        ("1767600000000000", "9999-12-31"),
    ],
)
def test_time_in_no_year_of_the_logs_is_refused_on_the_first_day(
    tmp_path: Path, time: object, kept: str
) -> None:
    import_events(tmp_path, body(event(), event(event_id="e2", event_time=time)))

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["date=2026-01-05"]
    signals = read(tmp_path / "out").sort("signal_id")
    assert signals["event_time"].to_list() == [MOMENT, datetime.fromisoformat(kept)]
    after = signals["event_time"].item(1) > MOMENT
    assert refusals(signals) == ["event_time_after_log_day" if after else "event_time.out_of_range"]


def test_times_in_milliseconds_are_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    late = [event(event_id=str(n), event_time=1767600000000 + n) for n in range(3)]

    import_events(tmp_path, body(event(), event(event_id="0s", event_time=0), *late))

    (line,) = caplog.messages
    assert "event times after the year 9999: 3." in line
    assert "milliseconds" in line


def test_days_are_days_in_utc(tmp_path: Path) -> None:
    import_events(
        tmp_path,
        body(event(event_time="2026-01-05T23:30:00-01:00"), event(event_time="2026-01-05")),
    )

    days = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert days == ["date=2026-01-05", "date=2026-01-06"]
    assert [path.name for path in (tmp_path / "out" / days[0]).iterdir()] == ["signals.parquet"]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.timezones()))  # noqa: DTZ001
def test_time_means_the_same_as_seconds_and_as_text(time):
    seconds = int(time.timestamp())

    assert moment(seconds) == moment(str(seconds))
    assert moment(seconds) == moment(time.replace(microsecond=0).isoformat())
