"""Reports: models side by side, and figures that agree with each other and with the ledger."""

import itertools
import json
import re
from datetime import timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from typer.testing import CliRunner

import cli
from attribution.reports import report, report_names
from attribution.settings import keep_horizons
from tests.attribution.made_up import BY_MODEL, CURRENCIES, MODELS, START, made_up, store
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError


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
    assert {*BY_MODEL, "restatements", "restated_campaigns", "provisional_days"} <= set(beside)


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


def test_certainties_of_all_outcomes_are_all_conversions(world: Warehouse) -> None:
    told = report(world, "credit_by_certainty")
    counted = world._connection.sql(
        "SELECT count(*), CAST(sum(value) AS DOUBLE) FROM conversions WHERE status <> 'retracted'"
    ).fetchall()[0]
    for model in MODELS:
        of_model = told.filter(pl.col("model") == model)
        assert of_model["credit"].sum() == pytest.approx(counted[0])
        assert of_model["value"].sum() == pytest.approx(counted[1])
    assert set(told["outcome"]) == {"touch", "organic", "unmatched"}
    assert set(told.filter(pl.col("outcome") != "unmatched")["certainty"]) == {"email"}


@pytest.mark.parametrize("model", MODELS)
def test_totals_are_the_sums_of_the_campaigns(world: Warehouse, model: str) -> None:
    campaigns = report(world, "credit_by_campaign").filter(pl.col("model") == model)
    by_currency = report(world, "campaign_totals").filter(pl.col("model") == model)
    total = report(world, "return_on_ad_spend_totals").row(
        by_predicate=pl.col("model") == model, named=True
    )
    unknown = campaigns.filter(pl.col("value_in_reports").is_null())

    for column in ("credit", "value", "value_in_reports"):
        assert by_currency[column].sum() == pytest.approx(campaigns[column].sum())
    assert total["credit"] == pytest.approx(campaigns["credit"].sum())
    assert (total["value"] is None) == (len(unknown) > 0)
    assert total["currency"] == total["report_currency"] == "EUR"


def test_the_value_of_all_campaigns_is_converted_where_every_currency_is_known(
    world: Warehouse,
) -> None:
    world._connection.execute("BEGIN TRANSACTION")
    world._connection.execute("UPDATE conversions SET currency = 'USD' WHERE currency IS NULL")
    totals = report(world, "return_on_ad_spend_totals")
    world._connection.execute("DELETE FROM warehouse_settings WHERE name = 'report_currency'")
    apart = report(world, "return_on_ad_spend_totals")
    world._connection.execute("ROLLBACK")

    for model in MODELS:
        values = apart.filter(pl.col("model") == model).select(
            pl.col("value") * pl.col("currency").replace_strict(CURRENCIES)
        )
        (value,) = totals.filter(pl.col("model") == model)["value"]
        assert value == pytest.approx(values["value"].sum(), abs=1e-3)
    assert apart["report_currency"].null_count() == len(apart) == 3 * len(MODELS)


def test_what_runs_moved_between_campaigns_comes_from_somewhere(world: Warehouse) -> None:
    world._connection.execute("BEGIN TRANSACTION")
    store(world, {"restatements": restated(seed=3)})
    told = report(world, "restated_campaigns")
    days = report(world, "restated_days")
    world._connection.execute("ROLLBACK")

    moved = told.group_by("run_id", "day", "cause", "model").agg(
        pl.col("credit_moved", "value_moved").sum()
    )
    assert len(moved) == 2 * 3 * len(MODELS)
    assert moved["credit_moved"].to_list() == pytest.approx([0] * len(moved), abs=1e-5)
    assert moved["value_moved"].to_list() == pytest.approx([0] * len(moved), abs=1e-5)
    assert "(none)" in set(told["campaign_id"])
    lost = told.filter(~pl.col("campaign_id").str.starts_with("("))["credit_moved"].sum()
    assert lost == pytest.approx((days["gained"] - days["lost"]).sum())
    for kind in ("credit", "value"):
        after = told[f"{kind}_before"] + told[f"{kind}_moved"]
        assert after.to_list() == pytest.approx(told[f"{kind}_after"].to_list(), abs=1e-5)


def restated(seed: int) -> list[dict[str, object]]:
    """Return restatements in which the states of a conversion follow each other."""
    random = Random(seed)  # noqa: S311
    rows: list[dict[str, object]] = []
    for number in range(30):
        states = [_state(random) for _ in range(random.randrange(2, 5))]
        gone = [None] if number % 3 == 0 else []  # it was joined to another
        for before, after in itertools.pairwise([*states, *gone]):
            rows.append(
                {"run_id": f"r{random.randrange(2)}", "conversion_id": f"s{number}",
                 "model": MODELS[number % 2], "before": json.dumps(before),
                 "after": after and json.dumps(after), "day": START.date(),
                 "cause": random.choice(["matches", "touches", None])}
            )  # fmt: skip
    return rows


def _state(random: Random) -> list[dict[str, object]]:
    cuts = sorted(random.sample(range(1, 10**6), 2))
    credits = [cuts[0], cuts[1] - cuts[0], 10**6 - cuts[1]]
    return [
        {"outcome": "unmatched" if place == 0 else "touch", "credit_micros": credit,
         "campaign_id": None if place == 0 else f"c{random.randrange(3)}",
         "value_micros": 3 * credit}
        for place, credit in enumerate(credits)
    ]  # fmt: skip


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
    store(world, {"credits": [_calibrated()]})
    beside = report(world, "provisional_days", models=["last_touch", "calibrated_last_touch"])
    days = report(world, "provisional_days").filter(pl.col("model") == "linear")
    world._connection.execute("ROLLBACK")

    newest = days["newest_log_day"][0]
    weekly = beside["final_by_date_calibrated_last_touch"]
    assert (weekly - timedelta(days=2)).dt.weekday().to_list() == [7] * len(beside)
    assert (weekly >= beside["final_by_date_last_touch"]).all()
    assert days["provisional_by_date"].to_list() == [
        newest < day + timedelta(days=2) for day in days["day"]
    ]
    assert days["provisional_by_click_date"].to_list() == [
        newest < day + timedelta(days=9) for day in days["day"]
    ]


def _calibrated() -> dict[str, object]:
    return {"conversion_id": "s0", "day": START.date(), "model": "calibrated_last_touch",
            "outcome": "unmatched", "credit_micros": 10**6, "value_micros": 0}  # fmt: skip


def test_conversions_without_a_value_split_no_campaign(world: Warehouse) -> None:
    execute = world._connection.execute
    execute("BEGIN TRANSACTION")
    execute("UPDATE credits SET value_micros = 0 WHERE conversion_id IN "
            "(SELECT conversion_id FROM conversions WHERE currency IS NULL)")  # fmt: skip
    execute("UPDATE conversions SET value = NULL WHERE currency IS NULL")
    execute("UPDATE conversions SET currency = 'EUR' WHERE currency IS NOT NULL")
    names = (*BY_MODEL, "campaign_totals", "credit_intervals")
    told = {name: set(report(world, name)["currency"]) for name in names}
    execute("ROLLBACK")
    assert told == {name: {"EUR"} for name in names}


def test_commands_on_which_number_to_report_run(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        store(warehouse, made_up(seed=2))
        warehouse._connection.execute(
            "UPDATE credits SET model = 'incremental' WHERE model = 'linear'"
        )
    text = (Path(__file__).parents[2] / "docs" / "which_number.md").read_text("utf-8")
    commands = re.findall(r"^adscribe (report .*) --db ads.duckdb(.*)$", text, re.M)
    done = [
        CliRunner().invoke(cli.app, [*name.split(), "--db", str(path), *options.split()])
        for name, options in commands
    ]
    assert len(done) >= 4
    assert [result.exit_code for result in done] == [0] * len(done)


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
