"""Reports: models side by side, and figures that agree with each other and with the ledger."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from typer.testing import CliRunner

import cli
from attribution.reports import report, report_names
from attribution.settings import keep_horizons
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError

START = datetime(2026, 3, 1)  # noqa: DTZ001 -- stored times are UTC without saying so
MODELS = ("last_touch", "linear")
CURRENCIES = {"EUR": 1.0, "USD": 0.8, "JPY": 0.006, None: None}
BY_MODEL = (
    "credit_by_campaign", "credit_by_ad", "credit_by_creator", "credit_by_surface",
    "credit_by_advertiser", "credit_by_hour", "credit_by_click_date",
)  # fmt: skip
Rows = dict[str, list[dict[str, object]]]


def store(warehouse: Warehouse, rows: Rows) -> None:
    for table, given in rows.items():
        with warehouse.frame("given", pl.DataFrame(given, infer_schema_length=None)):
            warehouse._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def made_up(seed: int) -> Rows:
    """Return a small warehouse whose every unit of credit is accounted for."""
    random = Random(seed)  # noqa: S311 -- a world, not a secret
    rows: Rows = defaultdict(list)
    for number in range(60):
        conversion, at = f"s{number}", START + timedelta(hours=random.randrange(24 * 20))
        currency = random.choice(list(CURRENCIES))
        retracted = random.random() < 0.1
        value = 0 if retracted else random.randrange(1, 10**6) / 100
        common = {"conversion_id": conversion, "day": at.date()}
        rows["signals"].append(_signal(conversion, at))
        rows["conversion_signals"].append(
            {**common, "signal_id": conversion, "role": "first", "advertiser_id": f"a{number % 3}",
             "event_name": "purchase"}
        )  # fmt: skip
        rows["conversions"].append(
            {**common, "advertiser_id": f"a{number % 3}", "event_name": "purchase",
             "event_time": at, "value": value, "currency": currency,
             "status": "retracted" if retracted else "active"}
        )  # fmt: skip
        _attribute(rows, random, common, at, round(value * 1e6))
    for currency, rate in CURRENCIES.items():
        if currency not in (None, "EUR"):
            rows["currency_rates"].append(
                {"date": START.date(), "currency": currency, "rate": rate}
            )
    rows["warehouse_settings"] += [
        {"name": "report_currency", "value": "EUR"}, {"name": "oldest_rate_days", "value": "30"}
    ]  # fmt: skip
    return rows


def _signal(signal_id: str, at: datetime) -> dict[str, object]:
    return {"day": at.date(), "signal_id": signal_id, "event_time": at, "advertiser_id": "a1",
            "event_name": "purchase", "source_file": "f", "source_row": 1}  # fmt: skip


def _attribute(
    rows: Rows, random: Random, common: dict[str, object], at: datetime, value: int
) -> None:
    """Add the users, paths and credit of one conversion: at most two candidates."""
    remaining = dict.fromkeys(MODELS, (1_000_000, value))
    for place in range(random.randrange(3)):
        user, micros = f"u{random.randrange(9)}-{place}", random.randrange(1, 500_000)
        rows["conversion_users"].append(
            {**common, "user_id": user, "signal_id": common["conversion_id"], "method": "email",
             "user_micros": micros, "best": place == 0}
        )  # fmt: skip
        touches = [
            {**common, "user_id": user, "touch_id": f"t{random.randrange(10**9)}",
             "touch_day": at.date(), "touch_time": at - timedelta(minutes=random.randrange(9999)),
             "kind": random.choice(["click", "impression"]),
             "campaign_id": f"c{random.randrange(4)}", "ad_id": random.choice(["x", "y", None]),
             "surface": random.choice(["feed", None]), "creator_id": random.choice(["k", None])}
            for _ in range(random.randrange(4))
        ]  # fmt: skip
        rows["path_touches"] += touches
        for model in MODELS:
            shares = touches[:1] if model == "last_touch" else touches
            for touch in shares or [None]:
                credit = micros // max(1, len(shares))
                worth = value * credit // 1_000_000
                left, left_value = remaining[model]
                remaining[model] = (left - credit, left_value - worth)
                rows["credits"].append(_credit(common, model, user, touch, credit, worth))
    for model, (credit, worth) in remaining.items():
        rows["credits"].append(
            {**common, "model": model, "outcome": "unmatched", "credit_micros": credit,
             "value_micros": worth}
        )  # fmt: skip


def _credit(
    common: dict[str, object], model: str, user: str, touch: dict[str, object] | None,
    credit: int, worth: int,
) -> dict[str, object]:  # fmt: skip
    named = (
        {name: touch[name] for name in ("touch_id", "campaign_id", "touch_time")} if touch else {}
    )
    return {**common, "model": model, "outcome": "touch" if touch else "organic", "user_id": user,
            "credit_micros": credit, "value_micros": worth, **named}  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path_factory.mktemp("reports") / "w.duckdb") as warehouse:
        store(warehouse, made_up(seed=1))
        yield warehouse


def test_every_report_runs_on_an_empty_warehouse(tmp_path: Path) -> None:
    beside = {}
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        for name in report_names():
            frame = report(warehouse, name)
            assert frame.width > 0
            if "model" in frame.columns:
                beside[name] = report(warehouse, name, models=["last_touch", "linear"])
                assert "model" not in beside[name].columns
                assert beside[name].width > frame.width - 1
    assert {*BY_MODEL, "restatements", "restated_days", "campaign_credit"} <= set(beside)


@pytest.mark.parametrize("name", BY_MODEL)
def test_every_report_divides_the_same_credit_and_value(world: Warehouse, name: str) -> None:
    told = report(world, name).group_by("model").agg(pl.col("credit", "value").sum()).sort("model")
    ledger = world._connection.sql(
        "SELECT model, sum(credit_micros) / 1e6, sum(value_micros) / 1e6 FROM credits "
        "JOIN conversions USING (conversion_id) "
        "WHERE outcome = 'touch' AND status <> 'retracted' GROUP BY model ORDER BY model"
    ).fetchall()
    assert told.rows() == [(model, pytest.approx(c), pytest.approx(v)) for model, c, v in ledger]


@pytest.mark.parametrize("name", BY_MODEL)
def test_value_in_reports_is_value_at_the_rate_of_its_currency(world: Warehouse, name: str) -> None:
    for row in report(world, name).iter_rows(named=True):
        rate = CURRENCIES[row["currency"]]
        if rate is None:  # nobody knows what a value without a currency is worth
            assert row["value_in_reports"] is None or row["value"] == 0
        else:
            assert row["value_in_reports"] == pytest.approx(row["value"] * rate, abs=1e-4)
        assert row["report_currency"] == "EUR"


def test_reconciliation_finds_every_unit_and_shows_one_that_is_lost(world: Warehouse) -> None:
    whole = report(world, "reconciliation")
    world._connection.execute("BEGIN TRANSACTION")
    world._connection.execute(
        "DELETE FROM credits WHERE model = 'linear' AND outcome = 'unmatched' AND conversion_id = "
        "(SELECT min(conversion_id) FROM conversion_users)"
    )
    broken = report(world, "reconciliation").filter(pl.col("difference") != 0)
    world._connection.execute("ROLLBACK")

    assert whole.filter(pl.col("difference") != 0).is_empty()
    assert whole["step"].unique().sort().to_list() == [1, 2, 3, 4, 5]
    assert set(broken["model"]) == {"linear"}
    assert set(broken["step"]) <= {3, 5}
    assert 3 in broken["step"]


def test_signal_outcomes_add_up_to_the_signals(world: Warehouse) -> None:
    outcomes = report(world, "signal_outcomes")
    assert outcomes["signals"].sum() == pytest.approx(60)
    assert outcomes["conversions"].sum() == pytest.approx(60)


def test_paths_of_all_lengths_are_the_conversions_of_known_users(world: Warehouse) -> None:
    known = world._connection.sql("SELECT count(*) FROM best_users").fetchall()[0][0]
    lengths, lags = report(world, "path_length"), report(world, "time_lag")
    assert lengths["conversions"].sum() == known
    touched = lengths.filter(pl.col("at_least") > 0)["conversions"].sum()
    assert lags["from_first_touch"].sum() == lags["from_last_touch"].sum() == touched
    assert report(world, "assisted_conversions")["won"].sum() == touched


def test_models_stand_side_by_side(world: Warehouse) -> None:
    long = report(world, "credit_by_campaign")
    beside = report(world, "credit_by_campaign", models=["linear", "last_touch"])

    assert beside.columns == [
        "campaign_id", "currency", "report_currency", "credit_linear", "credit_last_touch",
        "value_linear", "value_last_touch", "value_in_reports_linear",
        "value_in_reports_last_touch", "conversions_linear", "conversions_last_touch",
    ]  # fmt: skip
    assert not beside.select("campaign_id", "currency").is_duplicated().any()
    again = {
        (row["campaign_id"], row["currency"], model): row[f"credit_{model}"]
        for row in beside.iter_rows(named=True)
        for model in MODELS
        if row[f"credit_{model}"] is not None
    }
    assert again == {
        (row["campaign_id"], row["currency"], row["model"]): row["credit"]
        for row in long.iter_rows(named=True)
    }


def test_costs_stand_once_beside_the_models(world: Warehouse) -> None:
    beside = report(world, "return_on_ad_spend", models=["all"])
    assert {"cost", "cost_first_told", "return_on_ad_spend_linear"} <= set(beside.columns)
    one = report(world, "credit_by_hour", models=["linear"])
    assert one.columns[:3] == ["touch_hour", "currency", "report_currency"]
    assert "value_linear" in one.columns


@pytest.mark.parametrize(
    ("name", "models", "says"),
    [
        ("credit_by_campaign", ["last_tuch"], 'did you mean "last_touch"'),
        ("credit_by_campaign", ["last_touch", "time_decay"], "tells nothing of time_decay"),
        ("match_rate", ["last_touch"], "is not by model"),
        ("match_rate", ["all"], "is not by model"),
        ("credit_by_kampaign", ["last_touch"], 'did you mean "credit_by_campaign"'),
    ],
)
def test_models_that_cannot_be_shown_are_a_clear_error(
    world: Warehouse, name: str, models: list[str], says: str
) -> None:
    with pytest.raises(UnknownNameError, match=says):
        report(world, name, models=models)


def test_a_day_is_provisional_until_its_windows_close(world: Warehouse) -> None:
    assert report(world, "provisional_days")["final_by_date"].null_count() > 0
    world._connection.execute("BEGIN TRANSACTION")
    keep_horizons(world, late_days=9, longest_window_us=1)
    keep_horizons(world, late_days=2, longest_window_us=7 * 86_400_000_000)
    days = report(world, "provisional_days")
    world._connection.execute("ROLLBACK")

    newest = days["newest_log_day"][0]
    assert days["provisional_by_date"].to_list() == [
        newest < day + timedelta(days=2) for day in days["day"]
    ]
    assert days["provisional_by_click_date"].to_list() == [
        newest < day + timedelta(days=9) for day in days["day"]
    ]


def test_the_command_puts_models_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        store(warehouse, made_up(seed=2))
    words = ["report", "credit_by_surface", "--db", str(path), "--format", "json"]

    printed = CliRunner().invoke(cli.app, [*words, "--models", "last_touch, linear"])
    wrong = CliRunner().invoke(cli.app, [*words, "--models", "lineal"])

    assert printed.exit_code == 0
    assert {"credit_last_touch", "credit_linear"} <= set(json.loads(printed.stdout)[0])
    assert isinstance(wrong.exception, UnknownNameError)
