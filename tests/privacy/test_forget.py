"""Who is forgotten is nowhere any more, and no credit has moved."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.privacy.family import FAMILY, PEOPLE, copy, error, own_digests, physical, rows, totals
from tests.privacy.people import (
    DAYS,
    adscribe,
    found,
    printed_json,
    stored_text,
    write_rows,
)
from warehouse import database
from warehouse.checks import broken
from warehouse.database import Warehouse
from warehouse.erased import FINISHED_EARLIER
from warehouse.errors import UnknownNameError, WarehouseError

# what the command does, without the import of all commands
FORGET = """
import sys
from pathlib import Path
from warehouse import asked, erasure
from warehouse.config import Config

given = asked.Asked.among({"user_id": [sys.argv[1]]}, advertiser_id=None, country=None)
with erasure.opened(Path(sys.argv[2]), "forget", Config()) as (started, key):
    erasure.forget(started, key, given)
"""


@pytest.mark.slow
def test_eight_people_are_nowhere_and_no_credit_has_moved(db: Path) -> None:
    gone = PEOPLE[:8]
    users = [person.user_id for person in gone]
    digests = own_digests(db, users)
    needles = {form for digest in digests for form in physical(digest)}
    needles |= {user.encode() for user in users}
    before, file_before = totals(db), db.read_bytes()
    assert len(found(needles, file_before)) > 24
    assert len(rows(db, "SELECT 1 FROM matches WHERE list_contains(?, user_id)", users)) >= 8

    for number, person in enumerate(gone):
        option, value = (
            ("--user-id", person.user_id), ("--email", f" {person.email.upper()}"),
            ("--phone", person.phone), ("--email", person.email_sha256),
        )[number % 4]  # fmt: skip
        told = adscribe("forget", option, "-", "--db", db, text=value + "\n")
        assert "1 user forgotten" in told.stdout

    assert sorted(path.name for path in db.parent.iterdir()) == [db.name, f"{db.name}.key"]
    assert found(needles, db.read_bytes()) == set()
    assert found(needles, stored_text(db)) == set()
    assert totals(db) == before
    adscribe("match", "--db", db)
    adscribe("attribute", "--db", db)
    assert totals(db) == before
    assert found(needles, stored_text(db)) == set()
    with Warehouse.open(db) as warehouse:
        assert broken(warehouse) == {}
    ledger = rows(db, "SELECT asked, users_named, users_removed FROM erasures ORDER BY erased_at")
    assert ledger[:3] == [("user_id", 1, 1), ("email", 1, 1), ("phone", 1, 1)]


def test_a_forgotten_buyer_keeps_credit_but_nothing_personal(db: Path) -> None:
    person = PEOPLE[1]
    printed_json("forget", "--email", person.email, "--db", db, "--json")

    (name,) = rows(db, "SELECT user_id FROM matches WHERE signal_id = 'known-s1'")[0]
    assert str(name).startswith("forgotten-")
    assert len(str(name)) == len("forgotten-") + 32
    for table in ("credits", "path_touches"):
        seen = rows(db, f"SELECT DISTINCT user_id FROM {table} WHERE conversion_id = 'known-s1'")  # noqa: S608
        assert seen == [(name,)]
    assert rows(
        db, "SELECT user_id, click_digest FROM touchpoints WHERE touch_id = 'known-t1'"
    ) == [(name, None)]
    assert rows(
        db,
        "SELECT coalesce(ip, user_agent, city, CAST(address_digest AS VARCHAR), network_scope), "
        "order_id, value FROM signals WHERE signal_id = 'known-s1'",
    ) == [(None, "k1", 11.0)]
    kept = rows(db, "SELECT signal_id, kind FROM signal_identifiers WHERE signal_id IN "
                    "('known-s1', 'stranger') ORDER BY ALL")  # fmt: skip
    assert all(kind != "email" for _, kind in kept)


def test_rejected_rows_that_tell_of_a_person_are_emptied(db: Path) -> None:
    for person in (PEOPLE[0], PEOPLE[2]):
        adscribe("forget", "--user-id", person.user_id, "--db", db)
    emptied = rows(
        db, "SELECT table_name, rule FROM rejected_rows WHERE content = '{}' ORDER BY ALL"
    )
    assert [table for table, _ in emptied] == ["activity", "signals", "touchpoints"]


def test_restated_credit_changes_its_name_too(db: Path, world: Path) -> None:
    person = PEOPLE[3]
    logs = world.parent / "logs"
    more = [
        {
            "touch_id": "known-late", "event_time": f"{DAYS[1]} 09:00:00", "kind": "click",
            "user_id": person.user_id, "advertiser_id": "adv_01", "campaign_id": "cmp_09",
        }
    ]  # fmt: skip
    late = db.parent / "late" / f"date={DAYS[2]}"
    late.mkdir(parents=True)
    for file in (logs / f"date={DAYS[2]}").iterdir():
        (late / file.name).symlink_to(file)
    write_rows(late / "touchpoints-late.csv", more)
    adscribe("run", "--logs", late.parent, "--db", db)
    restated = "SELECT before, after FROM restatements WHERE conversion_id = 'known-s3'"
    assert all(person.user_id in str(side) for side in rows(db, restated)[0])
    before = totals(db)

    adscribe("forget", "--user-id", person.user_id, "--db", db)

    (name,) = rows(db, "SELECT user_id FROM credits WHERE conversion_id = 'known-s3'")[0]
    assert all(f'"user_id":"{name}"' in str(side) for side in rows(db, restated)[0])
    assert person.user_id.encode() not in stored_text(db)
    assert totals(db) == before


def test_a_later_retraction_takes_the_value_of_a_forgotten_buyer(db: Path) -> None:
    adscribe("forget", "--user-id", PEOPLE[4].user_id, "--db", db)
    of_it = "FROM credits WHERE conversion_id = 'known-s4' AND model = 'last_touch'"
    name = rows(db, f"SELECT user_id, touch_id {of_it}")
    back = {
        "signal_id": "late-r4", "event_time": "2026-01-08 10:00:00", "advertiser_id": "adv_01",
        "event_name": "purchase", "order_id": "k4", "adjustment": "retraction",
    }  # fmt: skip
    write_rows(db.parent / "back" / "date=2026-01-08" / "signals.csv", [back])
    adscribe("run", "--logs", db.parent / "back", "--db", db)
    assert rows(db, f"SELECT user_id, touch_id, value_micros {of_it}") == [(*name[0], 0)]


def test_a_shared_identifier_goes_and_its_users_stay(db: Path) -> None:
    before = totals(db)
    told = adscribe("forget", "--email", FAMILY.email, "--db", db).stdout
    assert "shared by 2 users" in told
    assert "--user-id" in told
    assert FAMILY.email not in told
    for person in PEOPLE[20:22]:
        assert rows(db, "SELECT 1 FROM activity WHERE user_id = ?", person.user_id)
    assert not rows(db, "SELECT 1 FROM signal_identifiers WHERE signal_id = 'family'")
    assert totals(db) == before


def test_an_identifier_of_no_user_goes_from_the_signals(db: Path) -> None:
    told = printed_json(
        "forget", "--phone", "212 555 0199", "--country", "US", "--db", db, "--json"
    )
    assert isinstance(told, dict)
    assert (told["users_named"], told["users_removed"]) == (0, 0)
    assert told["rows"] == {"deleted": {"signal_identifiers": 2}}
    again = error("forget", "--phone", "+12125550199", "--db", db)
    assert isinstance(again, UnknownNameError)


@pytest.mark.parametrize(
    "option",
    [("--device-id", "DEVICE-5"), ("--cookie-id", "cookie-5"), ("--click-id", "click-5"),
     ("--external-id", "customer-5", "--advertiser-id", "adv_01")],
)  # fmt: skip
def test_every_kind_of_identifier_names_its_user(option: tuple[str, ...], db: Path) -> None:
    told = adscribe("forget", *option, "--db", db).stdout
    assert "1 user forgotten" in told
    assert not rows(db, "SELECT 1 FROM activity WHERE user_id = ?", PEOPLE[5].user_id)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--user-id", "no-such-user"), "nothing is known of the user id given"),
        (("--email", "who@nowhere-else.com"), "nothing is known of the e-mail given"),
        (
            ("--email", "who@nowhere-else.com", "--phone", "+12125550001"),
            "nothing is known of the e-mail and phone number given",
        ),
        (("--email", "nobody"), "--email: not an e-mail address (malformed)."),
        (("--email", "b 4@c.example"), "--email: not an e-mail address (space_inside)."),
        (
            ("--email", "test@test.com"),
            "--email: that is a placeholder, which is never stored; there is nothing to forget.",
        ),
        (("--phone", "2125550199"), "--phone: A number without + needs --country."),
        (("--phone", "12"), "not a phone number (malformed). A number without + needs --country."),
        (("--phone", "98765", "--country", "US"), "not a phone number (impossible_number)."),
        (("--phone", "+12125550199", "--country", "ZZ"), "ZZ is no country"),
        (("--email", "-"), "nothing given"),
        (("--user-id", "x" * 513), "--user-id: longer than 512 characters"),
        (("--email", "x" * 513), "--email: longer than 512 characters"),
        (("--user-id", "caf\udce9"), "--user-id: not UTF-8"),
        (
            ("--external-id", "x", "--advertiser-id", "caf\udce9"),
            "--advertiser-id: not UTF-8",
        ),
        (("--phone", "1", "--country", "U" * 513), "--country: longer than 512 characters"),
        (("--email", "-", "--phone", "-"), "- stands for one value only"),
    ],
)
def test_a_mistake_is_one_line_without_the_value(
    words: tuple[str, ...], says: str, world: Path
) -> None:
    message = str(error("forget", *words, "--db", world, text=""))
    assert says in message
    assert {"--phone", "--country"} & set(words) or "--country" not in message
    assert not any(word in message for word in words[1:4:2] if len(word) > 2)


def test_the_new_file_is_the_same_warehouse(world: Path, tmp_path: Path) -> None:
    db = copy(world, tmp_path)
    db.chmod(0o640)
    link = tmp_path / "link.duckdb"
    link.symlink_to(db)

    database.rewrite(link)

    assert link.is_symlink()
    assert stat.S_IMODE(db.stat().st_mode) == 0o640
    assert not list(tmp_path.glob("*.wal"))
    for catalogue in ("duckdb_tables()", "duckdb_views()", "duckdb_columns()"):
        names = "database_name, schema_name, sql" if "columns" not in catalogue else (
            "table_name, column_name, data_type, is_nullable, column_default")  # fmt: skip
        query = f"SELECT {names} FROM {catalogue} WHERE NOT internal ORDER BY ALL"  # noqa: S608
        assert rows(db, query) == rows(world, query)
    for (table,) in rows(world, "SELECT table_name FROM duckdb_tables()"):
        content = f"SELECT count(*), sum(hash(t)) FROM {table} AS t"  # noqa: S608
        assert rows(db, content) == rows(world, content)


@pytest.mark.parametrize("step", ["put_in_place", "rewrite"])
def test_a_crash_before_the_file_is_replaced_is_mended_by_the_next(
    db: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device") if step != "rewrite" else KeyboardInterrupt

    module = database if step == "put_in_place" else sys.modules["warehouse.erasure"]
    digest = next(iter(own_digests(db, [PEOPLE[6].user_id])))
    with monkeypatch.context() as patched:
        patched.setattr(module, step, fail)
        result = adscribe(
            "forget",
            "--user-id",
            PEOPLE[6].user_id,
            "--db",
            db,
            code=1 if step != "rewrite" else 130,
        )
    if step == "put_in_place":
        assert isinstance(result.exception, WarehouseError)
        assert "the forget is done and kept, but old bytes" in str(result.exception)
        assert "No space left on device" in str(result.exception)
        assert "Nothing of this stage" not in str(result.exception)
    assert not rows(db, "SELECT 1 FROM activity WHERE user_id = ?", PEOPLE[6].user_id)
    stray = db.with_name(db.name + ".rewriting")
    stray.mkdir()
    (stray / "fresh").write_bytes(b"half a copy")

    told = adscribe("forget", "--user-id", PEOPLE[6].user_id, "--db", db).stdout

    assert told.startswith(FINISHED_EARLIER)
    assert "Nothing is known of the user id given" in told
    error("forget", "--user-id", PEOPLE[6].user_id, "--db", db)
    assert not stray.exists()
    assert found(physical(digest), db.read_bytes()) == set()
    assert rows(db, "SELECT name FROM warehouse_settings WHERE name = 'rewrite_due'") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "step", "whole"),
    [
        ("erasure", "_note", True),
        ("erasure", "rewrite", False),
        ("database", "put_in_place", False),
    ],
)
def test_a_killed_forget_leaves_the_person_whole_or_forgotten(
    db: Path, module: str, step: str, whole: bool
) -> None:
    before, person = totals(db), PEOPLE[7]
    digests = own_digests(db, [person.user_id])
    suicide = (
        f"import os; from warehouse import {module}; "
        f"{module}.{step} = lambda *_: os.kill(os.getpid(), 9)"
    )
    killed = subprocess.run(
        [sys.executable, "-c", f"{suicide}\n{FORGET}", person.user_id, db],
        capture_output=True, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (step == "put_in_place") == db.with_name(db.name + ".rewriting").exists()

    adscribe("report", "match_rate", "--db", db)
    for table in ("activity", "touchpoints", "matches", "credits", "identity_links"):
        traces = rows(db, f"SELECT 1 FROM {table} WHERE user_id = ? LIMIT 1", person.user_id)  # noqa: S608
        assert bool(traces) == whole
    assert totals(db) == before
    adscribe("forget", "--user-id", PEOPLE[10].user_id, "--db", db)
    assert {path.name for path in db.parent.iterdir()} == {db.name, f"{db.name}.key"}
    left = found({form for digest in digests for form in physical(digest)}, db.read_bytes())
    assert bool(left) == whole


def test_logs_read_again_bring_a_person_back(world: Path, db: Path) -> None:
    before = totals(db)
    adscribe("forget", "--user-id", PEOPLE[11].user_id, "--db", db)

    adscribe("run", "--logs", world.parent / "logs", "--db", db)

    assert totals(db) == before
    assert rows(db, "SELECT count(*) FROM matches WHERE model_version = 'forgotten'") == [(0,)]
    credit = "SELECT DISTINCT user_id FROM credits WHERE conversion_id = 'known-s11'"
    assert rows(db, credit) == [(PEOPLE[11].user_id,)]


def test_a_signal_gone_from_the_logs_takes_its_forgotten_match_along(db: Path) -> None:
    adscribe("forget", "--user-id", PEOPLE[11].user_id, "--db", db)
    logs = db.parent / "other" / f"date={DAYS[1]}"
    base = {"event_time": f"{DAYS[1]} 11:00:00", "advertiser_id": "adv_02", "event_name": "lead"}
    write_rows(logs / "signals.csv", [{**base, "signal_id": "the-only-one"}])

    adscribe("run", "--logs", logs.parent, "--db", db)

    assert not rows(db, "SELECT 1 FROM matches WHERE signal_id = 'known-s11'")
    with Warehouse.open(db) as warehouse:
        assert broken(warehouse) == {}


def test_an_emptied_refused_row_asks_for_no_day_to_be_read_again(world: Path, db: Path) -> None:
    again = "signals refused on later days"
    logs = db.parent / "first" / f"date={DAYS[1]}"
    logs.mkdir(parents=True)
    for file in (world.parent / "logs" / f"date={DAYS[1]}").glob("signals*"):
        (logs / file.name).symlink_to(file)
    adscribe("forget", "--user-id", PEOPLE[2].user_id, "--db", db)

    adscribe("ingest", "--logs", logs.parent, "--db", db)

    told = rows(db, "SELECT message FROM runs WHERE command = 'ingest'")
    assert told
    assert not [message for (message,) in told if again in str(message)]
