"""Columns get the log's types, and each broken row the name of the rule it breaks."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warehouse.folders import DAY, SIGNAL, TOUCH
from warehouse.conform import Conformed, conform, days_of
from warehouse.errors import InputFileError
from warehouse.logs import LogFile
from warehouse.schemas import TABLES

NOON = datetime(2026, 1, 5, 12)  # noqa: DTZ001 -- stored times are UTC without a zone


def judge(
    table: str, columns: dict[str, object], *, day: date | None = DAY, mapping=None
) -> Conformed:
    frame = pl.DataFrame(columns).with_row_index("source_row", offset=1)
    frame = frame.with_columns(pl.col("source_row").cast(pl.Int64))
    file = LogFile(Path("x"), "x.parquet", table, day)
    return conform(frame, table=TABLES[table], file=file, mapping=mapping or {})


def of_signal(**values: object) -> Conformed:
    return judge("signals", {name: [value] for name, value in {**SIGNAL, **values}.items()})


@pytest.mark.parametrize(
    ("table", "base", "values", "rule"),
    [
        ("signals", SIGNAL, {"signal_id": None}, "signal_id.missing"),
        ("signals", SIGNAL, {"signal_id": ""}, "signal_id.missing"),
        ("signals", SIGNAL, {"signal_id": "x" * 513}, "signal_id.too_long"),
        ("signals", SIGNAL, {"signal_id": "ann@mail.example"}, "signal_id.holds_email"),
        ("signals", SIGNAL, {"order_id": "ann%40mail.example"}, "order_id.holds_email"),
        ("signals", SIGNAL, {"order_id": "+1 555 123 4567"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "(555) 123-4567"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "tel:+15550109998"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "+1-555-010-9995 ext. 12"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "+1-555-010-9995 x12"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "tel:+1-555-010-9995;ext=12"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "555\u202f010\u202f9995"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "+1\u00a0555\u2007010\u00a09995"}, "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "+\u0661\u0665\u0665\u0665\u0660\u0661\u0660\u0669"},
         "order_id.is_phone"),
        ("signals", SIGNAL, {"order_id": "ann\uff20corp.com"}, "order_id.holds_email"),
        ("signals", SIGNAL, {"order_id": "ann\ufe6bcorp.com"}, "order_id.holds_email"),
        ("signals", SIGNAL, {"order_id": '"ann"@corp.com'}, "order_id.holds_email"),
        ("signals", SIGNAL, {"order_id": "ann@corp\u3002com"}, "order_id.holds_email"),
        ("signals", SIGNAL, {"order_id": "ann%2540corp.com"}, "order_id.holds_email"),
        ("signals", SIGNAL, {"event_time": ""}, "event_time.missing"),
        ("signals", SIGNAL, {"event_time": "13/10/2026 25:00"}, "event_time.not_a_timestamp"),
        ("signals", SIGNAL, {"event_time": "2026-02-30"}, "event_time.not_a_timestamp"),
        ("signals", SIGNAL, {"event_time": "1970-01-01"}, "event_time.out_of_range"),
        ("signals", SIGNAL, {"event_time": "2999-01-01"}, "event_time_after_log_day"),
        ("signals", SIGNAL, {"event_time": "2026-01-07"}, "event_time_after_log_day"),
        ("signals", SIGNAL, {"received_time": "9999-12-31"}, "received_time.out_of_range"),
        ("signals", SIGNAL, {"value": "-0.01"}, "value.negative"),
        ("signals", SIGNAL, {"value": "1e300"}, "value.too_large"),
        ("signals", SIGNAL, {"value": "inf"}, "value.not_finite"),
        ("signals", SIGNAL, {"value": "nan"}, "value.not_finite"),
        ("signals", SIGNAL, {"value": "NULL"}, "value.not_a_number"),
        ("signals", SIGNAL, {"value": "1,5"}, "value.not_a_number"),
        ("signals", SIGNAL, {"currency": "XXY"}, "currency.unknown_value"),
        ("signals", SIGNAL, {"currency": "US$"}, "currency.unknown_value"),
        ("signals", SIGNAL, {"consent": "maybe"}, "consent.unknown_value"),
        ("signals", SIGNAL, {"adjustment": "retraction"}, "adjustment_without_order_id"),
        ("signals", SIGNAL, {"user_agent": "x" * 8193}, "user_agent.too_long"),
        ("touchpoints", TOUCH, {"kind": "hover"}, "kind.unknown_value"),
        ("touchpoints", TOUCH, {"cost": "-1"}, "cost.negative"),
        ("touchpoints", TOUCH, {"user_id": "555-123-4567"}, "user_id.is_phone"),
        ("activity", {"user_id": "u", "event_time": NOON}, {"email_sha256": "x"},
         "email_sha256.wrong_form"),
        ("costs", {"date": "2026-01-05", "campaign_id": "c"}, {"cost": None}, "cost.missing"),
        ("costs", {"campaign_id": "c", "cost": 1.0}, {"date": "2999-01-01"}, "date.out_of_range"),
    ],
)  # fmt: skip
def test_a_broken_row_is_named_by_its_rule(table: str, base, values, rule: str) -> None:
    columns = {name: [value, *base.values()][:1] for name, value in {**base, **values}.items()}
    found = judge(table, columns)
    assert found.bad.select("source_row", "rule").rows() == [(1, rule)]
    assert found.good.is_empty()


def test_the_row_as_it_stood_is_kept() -> None:
    found = of_signal(value="1,5", city="Zürich", email="ann@mail.example", phone=None)
    content = json.loads(found.bad["content"][0])
    assert content == {
        **SIGNAL, "value": "1,5", "city": "Zürich", "email": "[withheld]", "phone": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T12:00:00Z", "2026-01-05t12:00:00z", "2026-01-05 12:00:00", "2026-01-05T12:00",
        "2026-01-05 12:00:00.000", "2026-01-05T13:00:00+01:00", "2026-01-05T07:00:00.0-0500",
        "2026-01-05T12:00:00 Z",
    ],
)  # fmt: skip
def test_iso_times_of_any_zone_are_utc(text: str) -> None:
    assert of_signal(event_time=text).good["event_time"].to_list() == [NOON]


@given(
    moment=st.datetimes(datetime(2001, 1, 1), datetime(2026, 1, 6)),  # noqa: DTZ001
    minutes=st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=40, deadline=None)
def test_python_writes_times_that_are_read_back(moment: datetime, minutes: int) -> None:
    zoned = moment.replace(tzinfo=UTC).astimezone(timezone(timedelta(minutes=minutes)))
    found = of_signal(event_time=zoned.isoformat())
    assert found.good["event_time"].to_list() == [moment]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([NOON], dtype=pl.Datetime("ns")),
        pl.Series([NOON], dtype=pl.Datetime("ms")),
        pl.Series([NOON]).dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York"),
    ],
)
def test_timestamps_of_any_precision_and_zone_are_utc(column: pl.Series) -> None:
    found = judge("signals", {**{k: [v] for k, v in SIGNAL.items()}, "event_time": column})
    assert found.good["event_time"].to_list() == [NOON]


@pytest.mark.parametrize(
    ("name", "values", "stored"),
    [
        ("value", pl.Series([Decimal("12.50")]), 12.5),
        ("value", pl.Series([3], dtype=pl.UInt8), 3.0),
        ("value", pl.Series([None]), None),
        ("signal_id", pl.Series([7]), "7"),
        ("signal_id", pl.Series(["x"], dtype=pl.Categorical), "x"),
        ("city", pl.Series(["x"], dtype=pl.Enum(["x"])), "x"),
        ("city", pl.Series([True]), "true"),
        ("consent", pl.Series(["GRANTED"]), "granted"),
        ("currency", pl.Series(["usd"]), "USD"),
    ],
)
def test_types_that_can_stand_for_the_logs_are_taken(
    name: str, values: pl.Series, stored: object
) -> None:
    found = judge("signals", {**{k: [v] for k, v in SIGNAL.items()}, name: values})
    assert found.good[name].to_list() == [stored]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("event_time", [1767607200]),
        ("event_time", [1767607200.5]),
        ("value", [True]),
        ("value", [timedelta(1)]),
        ("signal_id", [7.0]),
        ("city", [["x"]]),
        ("city", [{"x": 1}]),
        ("city", [b"x"]),
    ],
)
def test_other_types_are_one_line_that_names_the_column(name: str, values: list[object]) -> None:
    with pytest.raises(InputFileError, match=rf"x\.parquet, column {name}: its type is "):
        judge("signals", {**{k: [v] for k, v in SIGNAL.items()}, name: values})


def test_a_mapped_column_is_read_under_its_own_name() -> None:
    columns = {**{k: [v] for k, v in SIGNAL.items()}, "place": ["Bern"], "city": ["other"]}
    assert judge("signals", columns, mapping={"city": "place"}).good["city"].to_list() == ["Bern"]


def test_an_undated_row_belongs_to_the_day_it_was_received() -> None:
    columns = {
        **{k: [v] * 3 for k, v in SIGNAL.items()},
        "received_time": ["2026-01-06 00:00:00", None, "1970-01-01"],
    }
    found = judge("signals", columns, day=None)
    assert found.good["log_day"].to_list() == [date(2026, 1, 6), date(2026, 1, 5)]
    assert found.bad.select("log_day", "rule").rows() == [(None, "received_time.out_of_range")]
    frame = pl.DataFrame(columns)
    file = LogFile(Path("x"), "x", "signals", None)
    days = days_of(
        frame.with_columns(source_row=pl.lit(1)), table=TABLES["signals"], file=file, mapping={}
    )
    assert days == {date(2026, 1, 5), date(2026, 1, 6)}


def test_the_clock_may_run_a_day_ahead_and_no_more() -> None:
    edge = datetime(2026, 1, 7)  # noqa: DTZ001
    assert len(of_signal(event_time=edge - timedelta(microseconds=1)).good) == 1
    assert len(of_signal(event_time=edge).bad) == 1


@given(st.lists(st.sampled_from([None, "", "1", "-1", "x", "nan", "9e11", "1e12"]), max_size=30))
@settings(max_examples=40, deadline=None)
def test_every_row_is_good_or_bad_once(values: list[str | None]) -> None:
    columns = {name: [value] * len(values) for name, value in SIGNAL.items()}
    schema = dict.fromkeys([*columns, "value"], pl.String)
    frame = pl.DataFrame({**columns, "value": values}, schema=schema)
    found = judge("signals", frame.to_dict())
    numbers = [*found.good["source_row"], *found.bad["source_row"]]
    assert sorted(numbers) == list(range(1, len(values) + 1))
    kept = {None, "", "1", "9e11"}
    assert len(found.good) == sum(value in kept for value in values)
