"""Who shares an identifier with somebody forgotten stays, and several are forgotten at once."""

import json
from pathlib import Path

import pytest

from tests.privacy.family import FAMILY, PEOPLE, error, rows, totals
from tests.privacy.people import adscribe, found, printed_json, stored_text, write_rows
from warehouse.errors import WarehouseError

DAD, MUM = PEOPLE[20].user_id, PEOPLE[21].user_id
ONCE_SHARED = "SELECT kind, digest FROM once_shared_identifiers"


def is_there(db: Path, user_id: str) -> bool:
    return bool(rows(db, "SELECT 1 FROM activity WHERE user_id = ?", user_id))


def test_who_is_left_with_a_shared_identifier_is_not_taken_for_its_only_user(db: Path) -> None:
    linked = (
        "SELECT kind, digest FROM identity_links WHERE user_id IN (?, ?) GROUP BY ALL "
        "HAVING count(DISTINCT user_id) = 2"
    )
    family = rows(db, linked, DAD, MUM)
    before = totals(db)
    adscribe("forget", "--user-id", DAD, "--db", db)
    assert rows(db, ONCE_SHARED) == family != []

    dry = adscribe("forget", "--email", FAMILY.email, "--dry-run", "--db", db).stdout
    told = adscribe("forget", "--email", FAMILY.email, "--db", db).stdout

    assert "everywhere; its user would stay." in dry
    assert (
        "This e-mail was once shared with a user who is forgotten. The e-mail itself was removed "
        "everywhere; its user stays. To forget that user use --user-id."
    ) in told
    assert MUM not in told
    assert is_there(db, MUM)
    assert rows(db, ONCE_SHARED) == []
    assert not rows(db, "SELECT 1 FROM identity_links WHERE digest = ?", family[0][1])
    assert totals(db) == before
    ledger = "SELECT asked, users_named, users_removed FROM erasures ORDER BY erased_at"
    assert rows(db, ledger) == [("user_id", 1, 1), ("email", 1, 0)]


def test_the_last_user_takes_a_once_shared_identifier_along(db: Path) -> None:
    adscribe("forget", "--user-id", DAD, "--db", db)
    ((_, digest),) = rows(db, ONCE_SHARED)
    adscribe("forget", "--user-id", PEOPLE[5].user_id, "--db", db)
    assert len(rows(db, ONCE_SHARED)) == 1

    adscribe("forget", "--email", PEOPLE[21].email, "--db", db)

    assert not is_there(db, MUM)
    assert rows(db, ONCE_SHARED) == []
    assert str(digest).encode() not in stored_text(db)


def test_an_identifier_stays_once_shared_under_a_new_key(db: Path) -> None:
    adscribe("forget", "--user-id", DAD, "--db", db)
    before = rows(db, ONCE_SHARED)
    new = db.parent / "new.key"
    adscribe("rekey", "--db", db, "--new-key-file", new)
    new.replace(db.with_name(db.name + ".key"))
    assert len(rows(db, ONCE_SHARED)) == len(before) == 1
    assert rows(db, ONCE_SHARED) != before

    adscribe("forget", "--email", FAMILY.email, "--db", db)

    assert is_there(db, MUM)
    assert rows(db, ONCE_SHARED) == []


def test_all_that_is_asked_is_looked_up_before_anything_is_removed(db: Path) -> None:
    before = totals(db)
    told = adscribe(
        "forget", "--user-id", DAD, "--email", FAMILY.email, "--phone", "-",
        "--email", PEOPLE[3].email, "--user-id", PEOPLE[4].user_id, "--phone", "+12125550199",
        "--user-id", "no-such-user", "--email", "who@nowhere-else.com", "--db", db,
        text=f"{PEOPLE[20].phone}\n",
    ).stdout  # fmt: skip

    gone = sorted([DAD, PEOPLE[3].user_id, PEOPLE[4].user_id])
    lines = told.splitlines()
    assert lines[0] == f"3 users forgotten: {', '.join(gone)}"
    assert lines[1].startswith("Nothing is known of the user id given.")
    assert lines[2] == (
        "This e-mail is shared by 2 users. The e-mail itself was removed everywhere; the other "
        "user stays. To forget one of them use --user-id."
    )
    assert lines[3].startswith("Nothing is known of the e-mail given.")
    assert lines[4] == "This phone number is no user's. It was removed everywhere."
    assert len(lines) == 6
    assert is_there(db, MUM)
    assert not any(is_there(db, user) for user in gone)
    assert rows(db, ONCE_SHARED) == []
    assert totals(db) == before
    assert rows(db, "SELECT asked, users_named, users_removed FROM erasures") == [
        ("user_id, email, phone", 4, 3)
    ]


def test_both_users_of_an_identifier_take_it_along(db: Path) -> None:
    told = adscribe("forget", "--user-id", DAD, "--user-id", MUM, "--db", db).stdout
    assert "2 users forgotten: " in told
    assert rows(db, ONCE_SHARED) == []
    names = "SELECT count(DISTINCT user_id) FROM matches WHERE model_version = 'forgotten'"
    assert rows(db, names) == [(2,)]
    told = printed_json("forget", "--email", PEOPLE[5].email, "--email", PEOPLE[5].email.upper(),
                        "--device-id", "device-6", "--db", db, "--json")  # fmt: skip
    assert isinstance(told, dict)
    assert told["user_ids"] == sorted(person.user_id for person in PEOPLE[5:7])
    assert (told["users_named"], told["users_removed"], told["unknown"]) == (2, 2, [])


def test_rows_deleted_emptied_and_renamed_are_told_apart(db: Path) -> None:
    told = adscribe("forget", "--user-id", PEOPLE[1].user_id, "--db", db).stdout.splitlines()
    assert told[0] == f"1 user forgotten: {PEOPLE[1].user_id}"
    deleted, emptied, renamed = told[1].split("; ")
    assert deleted.startswith("Rows deleted: activity 1, identity_links ")
    assert emptied.startswith("emptied: ")
    assert "signals 2" in emptied
    assert renamed == (
        "renamed: conversion_users 2, credits 4, holdout_conversions 1, matches 2, path_touches 1, "
        "touchpoints 1"
    )
    (stored,) = rows(db, "SELECT row_counts FROM erasures")[0]
    counts = json.loads(str(stored))
    assert counts["activity"] == 1
    assert {"credits", "signals"} <= set(counts)


def test_who_was_forgotten_is_on_the_screen_only(
    db: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    told = adscribe("forget", "--email", PEOPLE[1].email, "--db", db).stdout
    assert PEOPLE[1].user_id in told
    assert PEOPLE[1].email not in told
    assert PEOPLE[1].user_id not in caplog.text
    assert found({PEOPLE[1].user_id.encode()}, db.read_bytes() + stored_text(db)) == set()


def test_a_dry_run_says_what_would_go_and_changes_nothing(db: Path, world: Path) -> None:
    words = ("forget", "--email", PEOPLE[1].email, "--email", FAMILY.email, "--db")
    stored = db.read_bytes()

    dry = adscribe(*words, db, "--dry-run").stdout
    told = printed_json(*words, db, "--dry-run", "--json")

    assert db.read_bytes() == stored
    assert sorted(path.name for path in db.parent.iterdir()) == [db.name, f"{db.name}.key"]
    lines = dry.splitlines()
    assert lines[:3] == [
        "Dry run: nothing was changed.",
        f"1 user would be forgotten: {PEOPLE[1].user_id}",
        "This e-mail is shared by 2 users. The e-mail itself would be removed everywhere; both "
        "users would stay. To forget one of them use --user-id.",
    ]
    assert PEOPLE[1].email not in dry
    assert isinstance(told, dict)
    assert (told["run_id"], told["dry_run"]) == (None, True)
    done = adscribe(*words, db).stdout
    assert lines[3].replace("Rows that would be deleted", "Rows deleted") in done
    unknown = str(error("forget", "--user-id", "no-such-user", "--dry-run", "--db", world))
    assert "nothing is known of the user id given" in unknown


def test_a_dry_run_brings_no_older_warehouse_up_to_date(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = db.read_bytes()
    monkeypatch.setattr("warehouse.database.statements", lambda _: ["001", "002", "003", "004"] * 9)
    older = error("forget", "--user-id", DAD, "--dry-run", "--db", db)
    assert isinstance(older, WarehouseError)
    assert "made by an older adscribe" in str(older)
    assert db.read_bytes() == stored
    missing = error("forget", "--user-id", DAD, "--dry-run", "--db", db.parent / "none.duckdb")
    assert "no such warehouse" in str(missing)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "Name one person: give --user-id, --email, --phone, --device-id, --cookie-id,"),
        (("--external-id", "x"), "Name it with --advertiser-id"),
        (("--email", "a@b.example", "--advertiser-id", "adv_01"), "goes with --external-id only"),
        (("--email", "a@b.example", "--country", "US"), "goes with --phone only"),
    ],
)
def test_options_that_do_not_fit_are_an_error_of_usage(
    words: tuple[str, ...], says: str, world: Path
) -> None:
    output = adscribe("forget", *words, "--db", world, code=2).output
    assert says in " ".join(output.replace("│", " ").split())


def test_logs_read_again_leave_an_identifier_once_shared(db: Path, tmp_path: Path) -> None:
    adscribe("forget", "--user-id", DAD, "--db", db)
    seen = {
        "user_id": MUM,
        "event_time": "2026-01-08 07:00:00",
        "email_sha256": FAMILY.email_sha256,
    }
    write_rows(tmp_path / "logs" / "date=2026-01-08" / "activity.csv", [seen])
    adscribe("run", "--logs", tmp_path / "logs", "--db", db)
    adscribe("forget", "--email", FAMILY.email, "--db", db)
    assert is_there(db, MUM)
