"""The user's table of rates: what is read, what is refused, and which rate a date has."""

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.money import check_rates, load_rates
from warehouse.attribution_config import MoneyRules
from warehouse.database import Warehouse
from warehouse.errors import ConfigError, InputFileError

START = date(2026, 3, 1)
GOOD = "date,currency,rate\n2026-03-01,USD,0.9\n2026-03-02,JPY,0.006\n"
STORED = [(START, "USD", 0.9), (date(2026, 3, 2), "JPY", 0.006)]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path_factory.mktemp("money") / "w.duckdb") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Iterator[Warehouse]:
    """Yield an empty warehouse; what a test writes is undone."""
    opened._connection.execute("BEGIN TRANSACTION")
    yield opened
    opened._connection.execute("ROLLBACK")


def rules_of(path: Path, *, currency: str = "EUR", days: int = 7) -> MoneyRules:
    return MoneyRules(currency=currency, rates=path, oldest_rate_days=days)


def written(folder: Path, text: str, name: str = "rates.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def rates(warehouse: Warehouse) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = warehouse._connection.sql(
        "SELECT date, currency, rate FROM currency_rates ORDER BY date, currency"
    ).fetchall()
    return rows


def kept(warehouse: Warehouse) -> dict[str, str]:
    return dict(warehouse._connection.sql("SELECT name, value FROM warehouse_settings").fetchall())


def add_conversion(warehouse: Warehouse, day: date, value: float | None, currency: str) -> None:
    warehouse._connection.execute(
        "INSERT INTO conversions BY NAME SELECT 's' AS conversion_id, $day::DATE AS day, "
        "'a1' AS advertiser_id, 'purchase' AS event_name, $day::DATE AS event_time, "
        "$value AS value, $currency AS currency, 'active' AS status",
        {"day": day, "value": value, "currency": currency},
    )


def write_parquet(folder: Path) -> Path:
    path = folder / "rates.parquet"
    pl.DataFrame(STORED, schema=["date", "currency", "rate"], orient="row").with_columns(
        pl.col("date").cast(pl.Datetime), pl.col("rate").cast(pl.Decimal(10, 6)), extra=pl.lit(1)
    ).write_parquet(path)
    return path


def write_json(folder: Path) -> Path:
    lines = (
        json.dumps({"rate": rate, "x": [1], "date": str(day), "currency": currency.lower()})
        for day, currency, rate in STORED
    )
    return written(folder, "\n".join(lines) + "\n", "rates.jsonl")


def write_packed(folder: Path) -> Path:
    path = folder / "rates.csv.gz"
    path.write_bytes(gzip.compress(("\ufeff" + GOOD.replace(",", ";")).encode()))
    return path


@pytest.mark.parametrize("write", [write_parquet, write_json, write_packed])
def test_every_format_gives_the_same_rates(
    warehouse: Warehouse, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    load_rates(warehouse, rules_of(write(tmp_path)))

    assert rates(warehouse) == STORED
    assert kept(warehouse) == {"report_currency": "EUR", "oldest_rate_days": "7"}


def test_a_new_table_takes_the_place_of_the_old_one(warehouse: Warehouse, tmp_path: Path) -> None:
    load_rates(warehouse, rules_of(written(tmp_path, GOOD)))
    newer = "extra,rate,currency,date\n1,1.1,EUR,2026-03-01\n1,1.1,EUR,2026-03-01\n"
    load_rates(warehouse, rules_of(written(tmp_path, newer), currency="USD", days=3))

    assert rates(warehouse) == [(START, "EUR", 1.1)]
    assert kept(warehouse) == {"report_currency": "USD", "oldest_rate_days": "3"}


def test_nothing_is_done_without_a_currency_of_the_reports(warehouse: Warehouse) -> None:
    add_conversion(warehouse, START, 1.0, "JPY")
    load_rates(warehouse, MoneyRules())
    check_rates(warehouse, MoneyRules())

    assert rates(warehouse) == []
    assert kept(warehouse) == {}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("date,currency\n2026-03-01,USD\n", "column rate is missing"),
        ("day,currency,rate\n2026-03-01,USD,1\n", "column date is missing"),
        ("date,currency,rate\n", "holds no rates"),
        (GOOD + "2026-03-03,USX,1\n", 'values are no currencies of ISO 4217, first "USX" in row 4'),
        (GOOD + "2026-03-03,,1\n", "no currencies of ISO 4217, first nothing in row 4"),
        (GOOD + "2026-03-03,USD,0\n", 'no rates above 0, first "0" in row 4'),
        (GOOD + "2026-03-03,USD,-1\n2026-03-04,USD,\n", '2 values are no rates above 0, first'),
        (GOOD + "2026-03-03,USD,NaN\n", 'first "NaN"'),
        (GOOD + "2026-03-03,USD,inf\n", 'first "inf"'),
        (GOOD + "2026-03-03,USD,1e13\n", 'first "1e13"'),
        (GOOD + "2026-03-03,USD,\"1,5\"\n", 'first "1,5"'),
        (GOOD + "03/03/2026,USD,1\n", 'no dates, first "03/03/2026" in row 4'),
        (GOOD + "2026-02-30,USD,1\n", 'no dates, first "2026-02-30"'),
        (GOOD + "2026-03-01,usd,0.8\n", "USD has 2 rates on 2026-03-01: 0.8 and 0.9"),
        (GOOD + "2026-03-01,EUR,1.1\n", "EUR is the currency of the reports, yet has the rate 1.1"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_said_in_one_line(
    warehouse: Warehouse, tmp_path: Path, text: str, says: str
) -> None:
    load_rates(warehouse, rules_of(written(tmp_path, GOOD)))
    path = written(tmp_path, text, "wrong.csv")

    with pytest.raises(ConfigError) as raised:
        load_rates(warehouse, rules_of(path))

    assert says in str(raised.value)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)
    assert rates(warehouse) == STORED


def test_a_file_that_is_none_is_named(warehouse: Warehouse, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_rates(warehouse, rules_of(tmp_path / "none.csv"))
    with pytest.raises(ConfigError, match="its name says no format"):
        load_rates(warehouse, rules_of(written(tmp_path, GOOD, "rates.xls")))
    with pytest.raises(InputFileError, match=r"rates\.parquet"):
        load_rates(warehouse, rules_of(written(tmp_path, GOOD, "rates.parquet")))
    with pytest.raises(ConfigError, match='"EURO" is no currency'):
        load_rates(warehouse, rules_of(written(tmp_path, GOOD), currency="EURO"))
    with pytest.raises(ConfigError, match="line 3: cannot be read"):
        load_rates(warehouse, rules_of(written(tmp_path, '{"date": 1}\n\n[1]\n', "r.jsonl")))


def test_a_missing_rate_names_currency_date_and_rows(warehouse: Warehouse, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    rules = rules_of(path, days=2)
    load_rates(warehouse, rules)
    for day, value, currency in [
        (START, 5.0, "USD"), (START + timedelta(days=2), 5.0, "USD"), (START, 5.0, "EUR"),
        (START, 0.0, "GBP"), (START, None, "GBP"),
    ]:  # fmt: skip
        add_conversion(warehouse, day, value, currency)
    check_rates(warehouse, rules)
    for day, value, currency in [
        (START + timedelta(days=3), 5.0, "USD"), (START + timedelta(days=4), 5.0, "USD"),
        (START + timedelta(days=9), 5.0, "CHF"),
    ]:  # fmt: skip
        add_conversion(warehouse, day, value, currency)

    with pytest.raises(ConfigError) as raised:
        check_rates(warehouse, rules)

    assert str(raised.value) == (
        f"{path}: no rate of USD for 2 conversions, the first on 2026-03-04: a rate of that date "
        "or of the 2 days before is needed. Missing as well: CHF. Add it to the table, or raise "
        "[attribution.money] oldest_rate_days."
    )


def test_a_cost_needs_a_rate_too(warehouse: Warehouse, tmp_path: Path) -> None:
    rules = rules_of(written(tmp_path, GOOD))
    load_rates(warehouse, rules)
    warehouse._connection.execute(
        "INSERT INTO costs VALUES ('2026-03-09', '2026-03-01', 'c1', 5, 'CHF', 'f', 1)"
    )

    with pytest.raises(ConfigError, match="no rate of CHF for 1 costs, the first on 2026-03-01"):
        check_rates(warehouse, rules)


@settings(max_examples=25, deadline=None)
@given(
    told=st.dictionaries(st.integers(0, 30), st.integers(1, 400), max_size=8),
    oldest=st.integers(0, 12),
    needed=st.sets(st.integers(0, 30), min_size=1, max_size=6),
)
def test_the_rate_of_a_date_is_the_newest_that_is_not_too_old(
    opened: Warehouse, tmp_path_factory: pytest.TempPathFactory,
    told: dict[int, int], oldest: int, needed: set[int],
) -> None:  # fmt: skip
    lines = [f"{START + timedelta(days=day)},USD,{rate}" for day, rate in told.items()]
    text = "\n".join(["date,currency,rate", "2020-01-01,JPY,1", *lines, ""])
    rules = rules_of(written(tmp_path_factory.mktemp("rates"), text), days=oldest)
    expected = {
        day: next((told[d] for d in range(day, day - oldest - 1, -1) if d in told), None)
        for day in needed
    }
    opened._connection.execute("BEGIN TRANSACTION")
    try:
        load_rates(opened, rules)
        for day in needed:
            add_conversion(opened, START + timedelta(days=day), 1.0, "USD")
        served = dict(
            opened._connection.sql("SELECT date, rate FROM daily_rates WHERE currency = 'USD'")
            .fetchall()
        )  # fmt: skip
        assert {day: served.get(START + timedelta(days=day)) for day in needed} == expected
        lacking = [day for day, rate in expected.items() if rate is None]
        if lacking:
            first = START + timedelta(days=min(lacking))
            with pytest.raises(ConfigError, match=f"for {len(lacking)} conv.* first on {first}"):
                check_rates(opened, rules)
        else:
            check_rates(opened, rules)
    finally:
        opened._connection.execute("ROLLBACK")
