"""How an explanation looks on a terminal."""

import io
import json
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
