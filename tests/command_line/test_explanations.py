"""How an explanation looks on a terminal."""

import io
import json
from collections import defaultdict
from datetime import date, datetime
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import cli
from attribution import ConversionExplanation, explain_conversion
from matching import SignalExplanation
from terminal import show_conversion, show_signal
from terminal.signal_trees import WORDS
from warehouse.attribution_config import AttributionConfig
from warehouse.database import Warehouse
from warehouse.errors import UnknownNameError
from warehouse.recipes import Recipe, Refusal

SIGNAL = {
    "signal_id": "s515bd705df891612", "day": date(2026, 1, 11),
    "event_time": datetime(2026, 1, 11, 19, 1, 57), "advertiser_id": "adv_04",  # noqa: DTZ001
    "event_name": "purchase", "order_id": "ord-0001", "consent": "granted",
    "source_file": "signals.parquet", "source_row": 12, "user_id": "u0019125", "method": "email",
    "match_probability": 1.0, "model_version": "deterministic-2",
    "conversion_id": "sa84224864342bfb3", "role": "repeat",
}  # fmt: skip
UNMATCHED = {**SIGNAL, "user_id": None}
NAMED = {
    "users": 1, "set_aside": 0, "user_id": "u0019125", "named_users": None,
    "first_day": date(2026, 1, 5), "last_day": date(2026, 1, 9), "sources": "activity, signals",
    "recipes": None, "learned_from": None, "learned_day": None, "ttl_days": 90, "most_users": 2,
}  # fmt: skip
SEVERAL = {**NAMED, "users": 3, "user_id": None, "sources": "activity"}
NOBODY = {**SEVERAL, "users": 0, "first_day": None, "last_day": None, "sources": None}
LEARNED = {"learned_from": "s123", "learned_day": date(2026, 1, 7)}
IDENTIFIERS = [
    {"method": "click_id", **SEVERAL, "outcome": "too_many_users"},
    {"method": "email", **NAMED, "recipes": ["google", "uid2"], "outcome": "followed"},
    {"method": "phone", **NOBODY, "outcome": "impossible_number"},
    {"method": "device_id", **NAMED, "last_day": date(2026, 1, 5), "outcome": "agrees"},
    {"method": "cookie_id", **NAMED, **LEARNED, "outcome": "too_many_identifiers"},
    {"method": "external_id", **NOBODY, "outcome": "unknown"},
]
EXPECTED = """\
└── identifiers (6)
    ├── click_id  too_many_users  names 3 users, more than 2: not followed
    │   └── seen 2026-01-05 to 2026-01-09 in activity
    ├── email  followed  user u0019125
    │   └── seen 2026-01-05 to 2026-01-09 in activity, signals as google, uid2
    ├── phone  impossible_number  refused: too short or too long
    ├── device_id  agrees  user u0019125
    │   └── seen 2026-01-05 in activity, signals
    ├── cookie_id  too_many_identifiers  names only who has too many of its kind: not followed
    │   ├── seen 2026-01-05 to 2026-01-09 in activity, signals
    │   └── learned from signal s123 of 2026-01-07
    └── external_id  unknown  never seen with a user
"""


def shown(
    signal: dict[str, object],
    identifiers: list[dict[str, object]],
    width: int = 100,
    refused: list[dict[str, object]] | None = None,
) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    show_signal(SignalExplanation(signal, identifiers, refused or []), console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def line(outcome: str, **row: object) -> str:
    """Return what is said of one identifier of a matched signal, and what stands below it."""
    identifier = {"method": "device_id", **NAMED, "outcome": outcome, **row}
    return shown(SIGNAL, [identifier], 120).partition("device_id  ")[2]


@pytest.mark.parametrize("width", [100, 200])
def test_a_match_is_explained_within_the_width_of_a_terminal(width: int) -> None:
    text = shown(SIGNAL, IDENTIFIERS, width)
    assert text.endswith(EXPECTED)
    assert len(text.splitlines()) == EXPECTED.count("\n") + 7


def test_a_line_too_long_for_a_terminal_goes_on_below() -> None:
    text = shown(SIGNAL, IDENTIFIERS, 80)
    assert max(map(len, text.splitlines())) <= 80
    assert text.split()[-6:] == EXPECTED.split()[-6:]


@pytest.mark.parametrize(
    ("consent", "identifiers", "says"),
    [
        ("denied", [], "no user: consent is denied, so none of its identifiers was kept"),
        (None, [], "no user: consent not told, and none of its identifiers is stored"),
        ("granted", [], "no user: it carries no identifier"),
        ("granted", IDENTIFIERS, "no user: none of its identifiers names one"),
        (None, IDENTIFIERS[2:3], "no user: each of its identifiers was refused"),
    ],
)
def test_a_signal_without_a_match_says_why(
    consent: str | None, identifiers: list[dict[str, object]], says: str
) -> None:
    text = shown({**UNMATCHED, "consent": consent}, identifiers, 80)
    assert says in text
    assert f"── consent {consent or 'not told'}\n" in text


def test_a_veto_and_a_stage_that_is_still_to_run_are_told_apart() -> None:
    vetoed = [{"method": "email", **NAMED, "outcome": "vetoed"}]
    assert "an identifier that is unique names somebody else" in shown(UNMATCHED, vetoed)
    waiting = [{"method": "email", **NAMED, "outcome": "not_followed"}]
    assert "no user: not matched yet; run adscribe match" in shown(UNMATCHED, waiting)


def test_repeats_of_a_signal_are_named() -> None:
    row = {"rule": "signal_id.repeated", "source_file": "signals.csv", "source_row": 30}
    text = shown(SIGNAL, [], refused=[{**row, "day": date(2026, 1, 12)}])
    assert "── refused as well: signal_id.repeated, signals.csv row 30\n" in text


def test_a_user_who_was_set_aside_is_told_of() -> None:
    assert line("followed", users=2, set_aside=1).startswith(
        "followed  user u0019125 (1 other set aside: too_many_identifiers)\n"
    )
    assert line("followed", users=3, set_aside=2).startswith(
        "followed  user u0019125 (2 others set aside: too_many_identifiers)\n"
    )
    assert line("followed", users=3).startswith(
        "followed  user u0019125 (of 3 users, alone in all that are shared)\n"
    )


def test_users_of_a_shared_identifier_are_named_up_to_five() -> None:
    two = line("shared_identifier", users=2, user_id=None, named_users=["u1", "u2"])
    assert two.startswith("shared_identifier  names 2 users, so nobody by itself\n")
    assert "users u1, u2\n" in two
    five = [f"u{n}" for n in range(5)]
    many = line("shared_identifier", users=8, set_aside=1, user_id=None, named_users=five)
    assert "(1 of them set aside: too_many_identifiers)\n" in many
    assert "users u0, u1, u2, u3, u4 and 2 more\n" in many


def test_what_is_known_but_does_not_speak_is_no_unknown() -> None:
    silent = {"users": 0, "user_id": None, "sources": "activity"}
    expired = line("expired", **silent)
    assert expired.startswith("expired  known, but not near this day\n")
    assert "seen 2026-01-05 to 2026-01-09 in activity, followed for 90 days\n" in expired
    other = line("not_in_order", **silent, ttl_days=None)
    assert other.startswith("not_in_order  known, but [matching] order does not name its kind\n")
    assert other.endswith("seen 2026-01-05 to 2026-01-09 in activity\n")


def test_recipes_are_named_where_not_all_of_them_match() -> None:
    assert " as " not in line("followed", recipes=sorted(Recipe))
    assert "in activity, signals as meta\n" in line("followed", recipes=["meta"])


def test_what_a_signal_taught_itself_is_told_so() -> None:
    own = {**LEARNED, "learned_from": SIGNAL["signal_id"]}
    assert "learned from this signal of 2026-01-07\n" in line("agrees", **own)


def test_every_refusal_has_words() -> None:
    assert set(Refusal) <= set(WORDS)


@pytest.mark.parametrize("outcome", ["unmatched", "organic"])
def test_an_unmatched_conversion_points_to_its_signal(outcome: str) -> None:
    console = Console(file=io.StringIO(), width=100, highlight=False)
    credit = {"model": "last_touch", "outcome": outcome, "credit_micros": 10**6, "value_micros": 0}
    explanation = ConversionExplanation({"conversion_id": "s1"}, [], [], [], [credit])
    show_conversion(explanation, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert text.endswith("see: adscribe explain match s1\n") == (outcome == "unmatched")


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


def test_days_of_a_fit_are_told_in_json(db: str) -> None:
    warehouse = Path(db)
    with Warehouse.open(warehouse) as opened:
        opened._connection.execute(
            "INSERT INTO credit_models VALUES ('hazard', 'hazard-a', '2026-03-01', '2026-03-04', "
            "'', 'accepted', NULL, 9, 9, NULL, NULL, NULL, NULL, 'r', '1', NULL)"
        )
        opened._connection.execute(
            "INSERT INTO credits BY NAME SELECT * REPLACE ('hazard' AS model, 'hazard-a' AS "
            "model_version) FROM credits WHERE model = 'last_touch' AND conversion_id = 'x1'"
        )
    told = json.loads(explained("conversion", "x1", db, "--json"))["credits"]
    text = explained("conversion", "x1", db)
    with Warehouse.open(warehouse) as opened:
        opened._connection.execute("DELETE FROM credit_models")
        opened._connection.execute("DELETE FROM credits WHERE model = 'hazard'")
    assert "fitted hazard-a  on 2026-03-01 to 2026-03-04\n" in text
    fit = ("model_version", "fitted_from", "fitted_until")
    assert {row["model"]: tuple(row[name] for name in fit) for row in told} == {
        "hazard": ("hazard-a", "2026-03-01", "2026-03-04"),
        "last_touch": (None, None, None),
        "calibrated_last_touch": (None, None, None),
    }


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


def test_reasons_are_told_to_be_those_of_last_touch() -> None:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    show_conversion(ConversionExplanation({"conversion_id": "s1"}, [], [], [], []), console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    heading = "candidates (0), their touches, the latest first (reasons: under last_touch)\n"
    assert heading in text
    assert "order" not in text


def with_rules(*rules: dict[str, object]) -> str:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    explanation = ConversionExplanation({"conversion_id": "s1"}, [], [], [], [], list(rules))
    show_conversion(explanation, console=console)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


WINDOWS = {
    "method": "email", "click_window_hours": 168, "engaged_view_window_hours": 24,
    "view_window_hours": 1, "least_click_seconds": 0, "least_view_seconds": 0,
}  # fmt: skip
RULES: dict[str, object] = {
    "rules_version": "abc", "models": ["linear"], "as_given": True, "methods": [WINDOWS],
}  # fmt: skip


def test_a_conversion_shows_the_rules_that_it_was_credited_under() -> None:
    assert (
        "├── rules abc\n│   └── email  click within 168 h  engaged view 24 h  impression 1 h\n"
    ) in with_rules(RULES)
    soon = with_rules({**RULES, "methods": [{**WINDOWS, "least_click_seconds": 10}]})
    words = " ".join(soon.replace("│", "").split())
    assert "impression 1 h no click of the last 10 s" in words


def test_rules_of_several_versions_name_their_models() -> None:
    unknown: dict[str, object] = {
        "rules_version": None,
        "models": ["first_touch"],
        "as_given": False,
        "methods": [],
    }
    text = with_rules(RULES, unknown)
    assert "├── rules abc of linear\n" in text
    assert "├── rules not kept of first_touch\n" in text
    assert text.count("not those of the configuration given") == 1


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


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a warehouse with signals that were refused, repeated, denied and learned from."""
    folder = tmp_path_factory.mktemp("explained")
    logs = {
        "activity": "user_id,event_time,device_id\nann,2026-03-01T08:00:00Z,phone-of-ann\n",
        "touchpoints": "touch_id,event_time,user_id,kind,advertiser_id,campaign_id\n",
        "signals": (
            "signal_id,event_time,advertiser_id,event_name,value,device_id,cookie_id,consent\n"
            "x1,2026-03-01T10:00:00Z,a,purchase,1,phone-of-ann,cookie-1,granted\n"
            "x2,2026-03-01T10:00:00Z,a,purchase,1,,cookie-1,\n"
            "x3,2026-03-01T10:00:00Z,a,purchase,1,phone-of-ann,cookie-1,denied\n"
            "x3,2026-03-01T10:00:00Z,a,purchase,1,,,\n"
            "x8,2026-03-01T10:00:00Z,a,purchase,-1,,,\n"
            "x8,2026-03-01T10:00:00Z,a,purchase,much,,,\n"
        ),
    }
    (folder / "logs" / "date=2026-03-01").mkdir(parents=True)
    for name, text in logs.items():
        (folder / "logs" / "date=2026-03-01" / f"{name}.csv").write_text(text)
    path = str(folder / "ads.duckdb")
    done = CliRunner().invoke(cli.app, ["run", "--logs", str(folder / "logs"), "--db", path])
    assert done.exit_code == 0, done.output
    return path


def explained(what: str, name: str, db: str, *options: str) -> str:
    """Return what the command prints, or the error that it ends with."""
    result = CliRunner().invoke(cli.app, ["explain", what, name, "--db", db, *options])
    return result.stdout if result.exit_code == 0 else str(result.exception)


def test_a_signal_that_was_refused_is_found_among_the_refused_rows(db: str) -> None:
    place = "date=2026-03-01/signals.csv row"
    where = f"refused: value.negative, {place} 6; value.not_a_number, {place} 7"
    assert explained("match", "x8", db) == f'signal "x8" was {where}'
    assert where in explained("conversion", "x8", db)
    assert "adscribe report rejected_rows" in explained("match", "x9", db)
    assert "adscribe explain match x9" in explained("conversion", "x9", db)


def test_a_denied_signal_says_that_nothing_was_kept(db: str) -> None:
    text = explained("match", "x3", db)
    assert "no user: consent is denied, so none of its identifiers was kept" in text
    assert "refused as well: signal_id.repeated, date=2026-03-01/signals.csv row 5" in text
    told = json.loads(explained("match", "x3", db, "--json"))
    assert told["consent"] == "denied"
    assert [row["rule"] for row in told["refused"]] == ["signal_id.repeated"]
    assert explained("conversion", "x3", db).endswith("see: adscribe explain match x3\n")


def test_a_signal_says_from_which_other_its_cookie_was_learned(db: str) -> None:
    text = explained("match", "x2", db)
    assert "cookie_id  followed  user ann\n" in text
    assert "seen 2026-03-01 in signals\n" in text
    assert "learned from signal x1 of 2026-03-01\n" in text


def test_rules_are_those_of_the_day_when_it_was_credited(db: str, tmp_path: Path) -> None:
    config = tmp_path / "other.toml"
    config.write_text("[attribution]\nclick_window_hours = 1\n")
    (told,) = json.loads(explained("conversion", "x1", db, "--json"))["rules"]
    (other,) = json.loads(explained("conversion", "x1", db, "--json", "--config", str(config)))[
        "rules"
    ]
    assert told["methods"] == [{**WINDOWS, "method": "device_id", "view_window_hours": 24}]
    assert {"last_touch", "calibrated_last_touch"} == set(told["models"])
    assert other == {**told, "as_given": False}
    assert len(told["rules_version"]) == 16
    assert "rules " + told["rules_version"] in explained("conversion", "x1", db)


def test_rules_that_cannot_be_read_any_more_are_named_without_windows(db: str) -> None:
    with Warehouse.open(Path(db)) as warehouse:
        warehouse._connection.execute("BEGIN TRANSACTION")
        warehouse._connection.execute("UPDATE attribution_rules SET settings = '{\"former\": 1}'")
        told = explain_conversion(warehouse, "x1", AttributionConfig()).rules
        warehouse._connection.execute("UPDATE credits SET rules_version = NULL")
        before = explain_conversion(warehouse, "x1", AttributionConfig()).rules
        warehouse._connection.execute("ROLLBACK")

    assert [row["methods"] for row in (*told, *before)] == [[], []]
    assert [row["as_given"] for row in (*told, *before)] == [True, False]


def test_a_conversion_is_found_by_its_order_and_several_are_named(db: str) -> None:
    with Warehouse.open(Path(db)) as warehouse:
        execute = warehouse._connection.execute
        execute("BEGIN TRANSACTION")
        execute("UPDATE conversions SET order_id = 'o-1' WHERE conversion_id = 'x1'")
        told = explain_conversion(warehouse, "o-1", AttributionConfig())
        execute(
            "INSERT INTO conversions BY NAME SELECT 'y' || number AS conversion_id, 'b' AS "
            "advertiser_id, 'lead' AS event_name, 'o-1' AS order_id, day, status, event_time + "
            "to_hours(number) AS event_time FROM conversions, unnest([1, 2, 3, 4, 5, 6]) AS "
            "numbers (number) WHERE conversion_id = 'x1'"
        )
        with pytest.raises(UnknownNameError) as raised:
            explain_conversion(warehouse, "o-1", AttributionConfig())
        signal = explain_conversion(warehouse, "x1", AttributionConfig())
        execute("ROLLBACK")

    assert told.conversion["conversion_id"] == signal.conversion["conversion_id"] == "x1"
    message = str(raised.value)
    assert "has 7 conversions: x1 (a, purchase, 2026-03-01 10:00), y1 (b, lead," in message
    assert message.endswith("and 2 more. Name one of them.")
    assert "y4" in message
    assert "y5" not in message
