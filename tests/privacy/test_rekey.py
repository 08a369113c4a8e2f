"""A warehouse under a new key is the same warehouse, and its old digests are nowhere any more."""

import hashlib
import hmac
import stat
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from tests.privacy.family import copy
from tests.privacy.people import (
    DAYS,
    add_customers,
    adscribe,
    found,
    make_people,
    make_world,
    write_rows,
)
from warehouse import database, erasure
from warehouse.erased import FINISHED_EARLIER
from warehouse.errors import ConfigError
from warehouse.keys import KEY_VARIABLE
from warehouse.runs import Run

PEOPLE = make_people(12)


def digest_columns(db: Path) -> list[tuple[str, str]]:
    """Return every column of every table that holds digests, from the catalogue."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() JOIN duckdb_tables() "
            "USING (database_name, table_name) WHERE data_type = 'UUID' ORDER BY ALL"
        ).fetchall()


def digests(db: Path) -> dict[tuple[str, str], list[UUID | None]]:
    with duckdb.connect(str(db), read_only=True) as connection:
        return {
            (table, column): [
                value
                for (value,) in connection.table(table).project(column).order(column).fetchall()
            ]
            for table, column in digest_columns(db)
        }


def counts(db: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return all that must not depend on the key."""
    queries = {
        "matches": "SELECT * FROM matches",
        "credits": "SELECT * FROM credits",
        "conflicts": "SELECT * FROM match_conflicts",
        "links": "SELECT kind, user_id, source, scope, first_day, last_day, observations "
        "FROM identity_links",
        "identifiers": "SELECT day, signal_id, kind, recipes, refusal FROM signal_identifiers",
        "evidence": "SELECT day, signal_id, kind, scope, user_id FROM signal_evidence",
        "shared": "SELECT kind, count(DISTINCT digest), count(DISTINCT user_id) "
        "FROM identity_links GROUP BY kind",
    }
    with duckdb.connect(str(db), read_only=True) as connection:
        return {name: sorted(connection.execute(text).fetchall(), key=str)
                for name, text in queries.items()}  # fmt: skip


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_world(tmp_path_factory.mktemp("rekey"))
    add_customers(folder, PEOPLE)
    shared = [
        {"user_id": person.user_id, "event_time": f"{DAYS[0]} 07:00:00", "cookie_id": "of-both"}
        for person in PEOPLE[10:]
    ]
    write_rows(folder / f"date={DAYS[0]}" / "activity-shared.csv", shared)
    return folder


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Path:
    """Return a warehouse that has read the last day."""
    db = tmp_path_factory.mktemp("ingested") / "a.duckdb"
    adscribe("ingest", "--logs", logs, "--db", db, "--day", DAYS[2])
    return db


@pytest.fixture
def db(ingested: Path, tmp_path: Path) -> Path:
    return copy(ingested, tmp_path)


def run(logs: Path, db: Path, *days: int) -> None:
    for day in days:
        adscribe("run", "--logs", logs, "--db", db, "--day", DAYS[day])


@pytest.mark.slow
def test_days_under_two_keys_are_days_under_one(logs: Path, tmp_path: Path) -> None:
    one, two, new = tmp_path / "one.duckdb", tmp_path / "two.duckdb", tmp_path / "new.key"
    run(logs, one, 0, 1)
    adscribe("ingest", "--logs", logs, "--db", one, "--day", DAYS[0])  # identifiers to be replaced
    adscribe("forget", "--user-id", PEOPLE[10].user_id, "--db", one)
    two.write_bytes(one.read_bytes())
    old = tmp_path / "two.duckdb.key"
    old.write_bytes((tmp_path / "one.duckdb.key").read_bytes())
    before = digests(two)
    empty = {column for column, values in before.items() if not any(values)}
    assert empty <= {("signals", "site_digest"), ("activity", "site_digest")}
    assert len(before) >= 15

    told = adscribe("rekey", "--db", two, "--new-key-file", new).stdout

    assert f"{new} holds the new key, 2 lines;" in told
    assert f"Put it in the place of {old}, or name it: [privacy] key_file is the simplest" in told
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    secrets = new.read_text().split()
    assert secrets[:1] == old.read_text().split()
    assert [len(secret) for secret in secrets] == [64, 64]
    values = {value for column in before.values() for value in column if value}
    again = {value: digest_again(value, secrets[1]) for value in values}
    for column, stored in digests(two).items():
        expected = [value and again[value] for value in before[column]]
        assert sorted(stored, key=str) == sorted(expected, key=str), column
    physical = {(value.int ^ 1 << 127).to_bytes(16, "little") for value in values}
    assert len(found(physical, one.read_bytes())) > len(physical) / 2
    assert found(physical | {value.bytes for value in values}, two.read_bytes()) == set()
    refused = adscribe("match", "--db", two, code=1).exception
    assert isinstance(refused, ConfigError)
    assert "written under key" in str(refused)
    new.replace(old)
    run(logs, one, 2)
    run(logs, two, 2)
    assert counts(two) == counts(one)
    assert "1 user forgotten" in adscribe("forget", "--email", PEOPLE[3].email, "--db", two).stdout


def digest_again(value: UUID, secret: str) -> UUID:
    """Return the digest of a digest with Python's library only."""
    return UUID(hmac.new(secret.encode(), value.hex.encode(), hashlib.sha256).hexdigest()[:32])


def test_what_the_owner_must_do_depends_on_where_the_key_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: Path
) -> None:
    db, config, key = tmp_path / "a.duckdb", tmp_path / "a.toml", tmp_path / "own.key"
    key.write_text("0123456789abcdef\n")
    config.write_text(f'[privacy]\nkey_file = "{key}"\n')
    adscribe("ingest", "--logs", logs, "--db", db, "--config", config, "--day", DAYS[2])
    new = tmp_path / "1.key"
    told = adscribe("rekey", "--db", db, "--new-key-file", new, "--config", config).stdout
    assert f"Put it in the place of {key}, or name it: [privacy] key_file" in told
    assert "since ADSCRIBE_KEY would have to hold all 2 lines." in told
    monkeypatch.setenv(KEY_VARIABLE, new.read_text())
    told = adscribe("rekey", "--db", db, "--new-key-file", tmp_path / "2.key").stdout
    assert f"{tmp_path / '2.key'} holds the new key, 3 lines;" in told
    assert f"Unset {KEY_VARIABLE} and name the file: [privacy] key_file" in told
    assert told.count("\n") == 1
    assert len((tmp_path / "2.key").read_text().split()) == 3
    there = adscribe("rekey", "--db", db, "--new-key-file", new, code=1).exception
    assert "written under key" in str(there)
    monkeypatch.setenv(KEY_VARIABLE, (tmp_path / "2.key").read_text())
    there = adscribe("rekey", "--db", db, "--new-key-file", new, code=1).exception
    assert "there already" in str(there)
    missing = tmp_path / "nope" / "x.key"
    nowhere = str(adscribe("rekey", "--db", db, "--new-key-file", missing, code=1).exception)
    assert "Make its folder" in nowhere
    assert "name another file" in nowhere
    assert KEY_VARIABLE not in nowhere


def test_a_failure_leaves_the_old_key_and_no_new_file(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new.key"
    before = digests(db)
    seen = []

    def fail(*_: object, **__: object) -> None:
        seen.append(new.exists())
        raise ConfigError("stop")

    with monkeypatch.context() as patched:
        patched.setattr(Run, "_finish", fail)
        adscribe("rekey", "--db", db, "--new-key-file", new, code=1)
    assert seen[0]
    assert not new.exists()
    assert digests(db) == before
    adscribe("match", "--db", db)


@pytest.mark.parametrize(
    "name",
    ["a.duckdb", "a.duckdb.wal", "a.duckdb.tmp", "a.duckdb.tmp/k", "a.duckdb.rewriting",
     "a.duckdb.rewriting/k", "link.duckdb.wal", "elsewhere/k"],
)  # fmt: skip
def test_a_key_is_not_written_where_it_would_be_removed(
    db: Path, tmp_path: Path, name: str
) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(db)
    (tmp_path / "link.duckdb.key").symlink_to(tmp_path / "a.duckdb.key")
    (tmp_path / "elsewhere").symlink_to(tmp_path / "a.duckdb.rewriting")
    before = digests(db)
    refused = adscribe("rekey", "--db", link, "--new-key-file", tmp_path / name, code=1).exception
    assert "Name another file." in str(refused)
    assert "\n" not in str(refused)
    assert digests(db) == before


def test_a_key_file_is_read_back_after_the_rewrite(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = tmp_path / "new.key"
    monkeypatch.setattr(erasure, "rewrite", lambda *_: new.unlink())
    lost = adscribe("rekey", "--db", db, "--new-key-file", new, code=1).exception
    assert "does not hold the new key" in str(lost)


def test_a_rekey_that_was_not_rewritten_is_finished_by_the_same_command(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    new = tmp_path / "new.key"
    words = ("rekey", "--db", db, "--new-key-file", new)
    with monkeypatch.context() as patched:
        patched.setattr(database, "put_in_place", full)
        failed = str(adscribe(*words, code=1).exception)
    assert "the rekey is done and kept" in failed
    assert "Nothing of this stage" not in failed
    monkeypatch.setenv(KEY_VARIABLE, new.read_text())
    assert FINISHED_EARLIER in adscribe(*words).stdout
    assert "there already" in str(adscribe(*words, code=1).exception)
    assert new.read_text().count("\n") == 2
