"""How the credit of fitted models is explained: the version, its corrections and its rates."""

import io
from collections import defaultdict
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from attribution import ConversionExplanation, explain_conversion
from terminal import show_conversion
from tests.command_line.test_explanations import explained
from warehouse.attribution_config import AttributionConfig
from warehouse.database import Warehouse

FITTED: dict[str, object] = {
    "model": "hazard", "outcome": "organic", "credit_micros": 10**6, "value_micros": 0,
    "model_version": "hazard-0123456789ab", "fitted_from": date(2026, 3, 1),
    "fitted_until": date(2026, 3, 28),
}  # fmt: skip


def credited(*credits: dict[str, object]) -> str:
    """Return the branch of credit, within 80 columns."""
    console = Console(file=io.StringIO(), width=80, highlight=False)
    explanation = ConversionExplanation({"conversion_id": "s1"}, [], [], [], list(credits))
    show_conversion(explanation, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text[text.index("└── credit") :]


def test_credit_of_a_fitted_model_names_its_version_and_the_days_that_it_was_fitted_on() -> None:
    rule = {**FITTED, "model": "linear", **dict.fromkeys(("model_version", "fitted_until"))}
    assert credited(rule, FITTED, FITTED) == (
        "└── credit, of each user the latest touch first\n"
        "    ├── linear (1)\n"
        "    │   └── organic  credit 1  value 0\n"
        "    └── hazard (2)\n"
        "        ├── fitted hazard-0123456789ab  on 2026-03-01 to 2026-03-28\n"
        "        ├── organic  credit 1  value 0\n"
        "        └── organic  credit 1  value 0\n"
    )


def test_a_version_of_which_nothing_is_kept_is_named_all_the_same() -> None:
    gone = {**FITTED, "model": "counterfactual", "model_version": "counterfactual-0123456789ab"}
    for lost in ({"fitted_from": None, "fitted_until": None}, {}):
        row = {name: value for name, value in gone.items() if not name.startswith("fitted_")}
        text = credited({**row, **lost})
        assert "    ├── fitted counterfactual-0123456789ab  on days that are not kept\n" in text


RATED: dict[str, object] = {
    **FITTED, "model": "incremental", "outcome": "touch", "user_id": "ann", "touch_id": "t1",
    "campaign_id": "c1", "credit_micros": 514_500, "basis": "holdout", "correction": -0.02,
    "model_kept": True, "rate_per_hour": 0.0021, "organic_rate_per_hour": 0.0018,
    "total_rate_per_hour": 0.004, "age_hours": 5.21,
}  # fmt: skip
ORGANIC: dict[str, object] = {
    **RATED, "outcome": "organic", "credit_micros": 460_500, "rate_per_hour": None,
    **dict.fromkeys(("touch_id", "campaign_id", "basis", "correction", "age_hours")),
}  # fmt: skip


def test_credit_by_a_hazard_tells_the_rates_that_it_was_divided_by() -> None:
    later = {**RATED, "touch_id": "t2", "campaign_id": "c2", "correction": 0.0005}
    small = {"credit_micros": 25_000, "rate_per_hour": 0.0000123456, "age_hours": 0.0123456}
    assert credited(ORGANIC, RATED, {**later, **small}).splitlines()[2:] == [
        "        ├── fitted hazard-0123456789ab  on 2026-03-01 to 2026-03-28",
        "        ├── correction c1 -0.02  2.0% of its hazard credit made organic",
        "        ├── correction c2 0.0005  <0.1% of the organic rest made its credit",
        "        ├── organic  credit 0.4605  value 0  user ann",
        "        │     rate 0.0018 an hour of 0.004 in all",
        "        ├── touch  campaign c1  credit 0.5145  value 0  user ann  touch t1",
        "        │     basis holdout  rate 0.0021 an hour of 0.004 in all",
        "        │     5.2 hours before",
        "        └── touch  campaign c2  credit 0.025  value 0  user ann  touch t2",
        "              basis holdout  rate 0.0000123 an hour of 0.004 in all",
        "              0.0123 hours before",
    ]


def test_a_version_that_is_not_kept_tells_no_rates() -> None:
    gone = {name: None for name in RATED if name.endswith("_per_hour")}
    text = credited({**RATED, **gone, "model_kept": False})
    assert "        ├── no rates: this version is not kept any more\n" in text
    assert " an hour" not in text
    assert "hours before" not in text
    assert "not kept any more" not in credited({**RATED, **gone, "model_kept": None})
    changed = credited({**RATED, **gone, "rates_hold": False})
    assert "no rates: what is stored of its users has changed since\n" in changed


def test_credit_that_rounds_to_nothing_is_told_from_none() -> None:
    row = {**FITTED, "credit_micros": 12, "value_micros": 600}
    assert "organic  credit <0.0001  value 0.0006\n" in credited(row)
    assert "organic  credit 0  value 0\n" in credited(
        {**row, "credit_micros": 0, "value_micros": 0}
    )
    assert "credit 0.0001  value 0\n" in credited({**row, "credit_micros": 50, "value_micros": 0})


def test_names_and_values_stay_on_one_line_within_80_columns() -> None:
    ids = {name: f"{name}-" + "0123456789" * 3 for name in ("signal", "touch", "user", "campaign")}
    touch = {
        "user_id": ids["user"], "touch_id": ids["touch"], "kind": "engaged_view",
        "event_time": "2026-03-01 10:00:00", "campaign_id": ids["campaign"], "surface": "live",
        "reason": "weaker_kind", "assist": True,
    }  # fmt: skip
    explanation = ConversionExplanation(
        {"conversion_id": ids["signal"], "status": "active", "order_id": "order-" + "x" * 34},
        [{"role": "first", "signal_id": ids["signal"], "user_id": ids["user"], "method": "email"}],
        [{"user_id": ids["user"], "method": "email", "match_probability": 1.0, "declared": True}],
        [touch],
        [{**RATED, "user_id": ids["user"], "touch_id": ids["touch"], "campaign_id": "c" * 40}],
    )
    console = Console(file=io.StringIO(), width=80, highlight=False)
    show_conversion(explanation, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]

    assert max(map(len, text.splitlines())) <= 80
    for name, value in ids.items():
        after = text.count(f"{name} {value}") + text.count(f"conversion {value}")
        assert after == text.count(value) > 0
    assert f"order order-{'x' * 34}\n" in text
    assert f"correction {'c' * 40} -0.02\n" in text
    assert f"campaign {'c' * 40}" in text


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a warehouse in which hazard and incremental have credited conversions."""
    folder = tmp_path_factory.mktemp("fitted")
    logs, path, config = folder / "logs", str(folder / "ads.duckdb"), folder / "c.toml"
    config.write_text(
        '[attribution]\nmodels = ["last_touch", "hazard", "incremental"]\n'
        "[attribution.learned]\nleast_conversions = 10\n[model]\nenabled = false\n"
    )
    world = ["simulate", str(logs), "--users", "8000", "--days", "2"]
    run = ["run", "--logs", str(logs), "--db", path, "--config", str(config)]
    for words in (world, run):
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == 0, done.output
    return path


def all_explained(db: str) -> list[ConversionExplanation]:
    """Return the explanations of all conversions that the hazard credits to a touch."""
    with Warehouse.open(Path(db), read_only=True) as warehouse:
        found = warehouse._connection.execute(
            "SELECT DISTINCT conversion_id FROM credits "
            "WHERE model = 'hazard' AND outcome = 'touch'"
        ).fetchall()
        config = AttributionConfig()
        return [explain_conversion(warehouse, name, config) for (name,) in sorted(found)]


@pytest.mark.slow
def test_shares_that_rates_imply_are_the_credit_that_is_stored(fitted: str) -> None:
    told = all_explained(fitted)
    touches = 0
    for explanation in told:
        likely = {row["user_id"]: row["match_probability"] for row in explanation.candidates}
        whole: dict[tuple[object, object], float] = defaultdict(float)
        for row in explanation.credits:
            path, rate = (row["model"], row["user_id"]), row["rate_per_hour"]
            if row["model"] == "last_touch" or path[1] is None or rate is None:
                continue
            touches += 1
            whole[path] += rate
            share = rate / row["total_rate_per_hour"]
            if row["model"] == "hazard":
                earned = share * likely[row["user_id"]] * 1e6
                assert row["credit_micros"] == pytest.approx(earned, abs=2)
            elif row["correction"] is not None and row["correction"] <= 0:
                kept = share * (1 + row["correction"]) * likely[row["user_id"]] * 1e6
                assert row["credit_micros"] >= kept - 2
        for row in explanation.credits:
            path = (row["model"], row["user_id"])
            if path in whole:
                assert row["model_kept"] is True
                assert row["total_rate_per_hour"] == pytest.approx(
                    row["organic_rate_per_hour"] + whole[path]
                )
    assert touches > len(told) > 5


@pytest.mark.slow
def test_every_touch_that_may_earn_has_a_rate_and_the_latest_stands_first(fitted: str) -> None:
    for explanation in all_explained(fitted):
        may_earn = {
            (touch["user_id"], touch["touch_id"]): touch["event_time"]
            for touch in explanation.touches
            if touch["reason"] == "won" or touch["assist"]
        }
        times: dict[object, list[object]] = defaultdict(list)
        for touch in explanation.touches:
            times[touch["user_id"]].append(touch["event_time"])
        for model in ("hazard", "incremental"):
            rows = [row for row in explanation.credits if row["model"] == model]
            earning = [row for row in rows if row["outcome"] == "touch"]
            assert {(row["user_id"], row["touch_id"]) for row in earning} == set(may_earn)
            assert all(row["rate_per_hour"] is not None for row in earning)
            assert sum(row["credit_micros"] for row in rows) == 1_000_000
            for row in earning:
                age = (
                    explanation.conversion["event_time"] - may_earn[row["user_id"], row["touch_id"]]
                )
                assert row["age_hours"] == pytest.approx(age.total_seconds() / 3600)
                times[model, row["user_id"]].append(-row["age_hours"])
        for latest_first in times.values():
            assert latest_first == sorted(latest_first, reverse=True)


@pytest.mark.slow
def test_rates_are_told_while_the_version_is_kept(fitted: str) -> None:
    conversion = str(all_explained(fitted)[0].conversion["conversion_id"])
    text = explained("conversion", conversion, fitted)
    assert " an hour of " in text
    assert " in all  " in text
    with Warehouse.open(Path(fitted)) as warehouse:
        execute = warehouse._connection.execute
        execute("BEGIN TRANSACTION")
        execute("UPDATE credit_models SET body = 'changed' WHERE model = 'hazard'")
        execute("UPDATE credit_models SET body = NULL WHERE model = 'incremental'")
        told = explain_conversion(warehouse, conversion, AttributionConfig()).credits
        execute("ROLLBACK")
    assert {(row["model"], row["model_kept"]) for row in told} == {
        ("hazard", False), ("incremental", False), ("last_touch", None),
    }  # fmt: skip
    assert all(row["rate_per_hour"] is None for row in told)


@pytest.mark.slow
def test_rates_that_do_not_come_to_the_credit_any_more_are_not_told(fitted: str) -> None:
    conversion = str(all_explained(fitted)[0].conversion["conversion_id"])
    with Warehouse.open(Path(fitted)) as warehouse:
        execute = warehouse._connection.execute
        execute("BEGIN TRANSACTION")
        execute(
            "UPDATE credits SET credit_micros = credit_micros + "
            "CASE outcome WHEN 'touch' THEN -1000 ELSE 1000 END WHERE model = 'hazard'"
        )
        told = explain_conversion(warehouse, conversion, AttributionConfig()).credits
        execute("ROLLBACK")
    assert {(row["model"], row["rates_hold"]) for row in told} == {
        ("hazard", False), ("incremental", True), ("last_touch", None),
    }  # fmt: skip
    assert all((row["rate_per_hour"] is None) for row in told if row["model"] == "hazard")
