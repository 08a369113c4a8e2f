"""What of refused rows is a person's, what is no name at all, and whose the new file is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.privacy.family import PEOPLE, error, rows
from tests.privacy.people import adscribe
from warehouse import database
from warehouse.errors import WarehouseError


def refuse(db: Path, rows: list[tuple[str, object]]) -> None:
    """Add refused rows of a table, with their content."""
    with duckdb.connect(str(db)) as connection:
        for table, content in rows:
            connection.execute(
                "INSERT INTO rejected_rows VALUES (NULL, ?, 'rule', 'file', 1, ?)",
                [table, json.dumps(content)],
            )


def contents(db: Path) -> list[object]:
    query = "SELECT content FROM rejected_rows WHERE rule = 'rule' ORDER BY rowid"
    return [json.loads(str(content)) for (content,) in rows(db, query)]


def test_a_word_of_a_refused_row_is_no_user(db: Path) -> None:
    told: list[tuple[str, object]] = [
        ("signals", {"line": "purchase,of,somebody"}), ("signals", {"event_name": "purchase"}),
        ("activity", {"user_id": "all-refused"}), ("activity", {"line": "all-refused"}),
    ]  # fmt: skip
    refuse(db, told)
    unknown = error("forget", "--user-id", "purchase", "--db", db)
    assert "nothing is known of the user id given" in str(unknown)
    assert contents(db) == [content for _, content in told]

    words = ("--user-id", "all-refused", "--user-id", f" {PEOPLE[8].user_id} ")
    text = adscribe("forget", *words, "--user-id", "purchase", "--db", db).stdout

    assert f"1 user forgotten: {PEOPLE[8].user_id}" in text
    assert "No user of this user id is known. The refused rows that hold it were emptied." in text
    assert contents(db) == [*(content for _, content in told[:2]), {}, told[3][1]]


@pytest.mark.parametrize("user_id", ['u"3', "u\\3", "ü.*3"])
def test_an_id_with_signs_is_found_as_a_line_writes_it(db: Path, user_id: str) -> None:
    with duckdb.connect(str(db)) as connection:
        connection.execute(
            "UPDATE activity SET user_id = ? WHERE user_id = ?", [user_id, PEOPLE[9].user_id]
        )
    line = json.dumps({"user_id": user_id, "event_time": 4})
    plain = json.dumps({"user_id": user_id}, ensure_ascii=False)
    doubled = user_id.replace('"', '""')
    refuse(
        db,
        [("activity", {"line": text}) for text in (line, plain, f'"{doubled}",4', "other 3")]
        + [("activity", {"user_id": user_id}), ("activity", {"touch_id": user_id})],
    )
    adscribe("forget", "--user-id", user_id, "--db", db)
    assert contents(db) == [{}, {}, {}, {"line": "other 3"}, {}, {}]


def test_standard_input_that_is_no_text_is_one_line(world: Path) -> None:
    given = subprocess.run(
        [sys.executable, "-c", "import cli; cli.main()",
         "forget", "--user-id", "-", "--db", world],
        input=b"caf\xe9\n", capture_output=True, check=False,
    )  # fmt: skip
    assert given.returncode == 1
    assert given.stderr == b"adscribe: --user-id: not UTF-8. Give it as in the logs.\n"


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_new_file_has_the_owner_of_the_old(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(db, 1234, 2345)
    database.rewrite(db)
    assert (db.stat().st_uid, db.stat().st_gid) == (1234, 2345)

    def refuse_it(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    stored = db.stat().st_ino
    monkeypatch.setattr(os, "chown", refuse_it)
    with pytest.raises(WarehouseError, match="its owner 1234 and group 2345; run this as") as told:
        database.rewrite(db)
    assert "\n" not in str(told.value)
    assert db.stat().st_ino == stored
    assert not db.with_name(db.name + ".rewriting").exists()
