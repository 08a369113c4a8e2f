"""A file that cannot be read leaves the warehouse as it was, and ends the command with one line."""

import gzip
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from tests.warehouse.folders import (
    DAY,
    FOLDER,
    NEXT_FOLDER,
    as_csv,
    as_json_lines,
    as_parquet,
    hashes,
    ingest,
    signal,
    touch,
    write,
    zstd,
)
from warehouse.database import Warehouse
from warehouse.errors import AdscribeError, InputFileError
from warehouse.keys import KEY_VARIABLE

GOOD = {
    f"{FOLDER}/signals.csv": as_csv([signal("s1"), signal("s2", value=-1)]),
    f"{FOLDER}/touchpoints.csv": as_csv([touch("t1")]),
}
CHANGED = as_csv([signal(f"s{n}") for n in range(3000)])
BROKEN = {
    "signals.csv": CHANGED.replace(b"event_name", b"name", 1),
    "signals.csv.gz": gzip.compress(CHANGED, mtime=0)[:-5],
    "signals.csv.zst": zstd(CHANGED)[:-5],
    "signals.parquet": as_parquet([signal("s3")])[:-30],
    "signals.jsonl": b"",
    "signals.json": b"[" + as_json_lines([signal("s3")]) + b"]",
    "signals.tsv": CHANGED.decode().encode("utf-16"),
    "signals-2.csv": CHANGED.replace(b"s2999", b'"s2999'),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_leaves_the_day_as_it_was(warehouse: Warehouse, root, name: str) -> None:
    ingest(warehouse, write(root, GOOD))
    before = hashes(warehouse)
    # activity comes before and touchpoints after: both are undone with the signals
    files = {
        f"{FOLDER}/activity.csv": b"user_id,event_time\nu1,2026-01-05\n",
        f"{FOLDER}/signals-0.csv": as_csv([signal("new")]),
        f"{FOLDER}/{name}": BROKEN[name],
    }
    logs = write(root, files)
    with pytest.raises(InputFileError) as caught:
        ingest(warehouse, logs, DAY)
    assert str(caught.value).startswith(f"{FOLDER}/{name}")
    assert "\n" not in str(caught.value)
    assert hashes(warehouse) == before
    ingest(warehouse, write(root, GOOD))
    assert hashes(warehouse) == before


def test_days_before_the_broken_one_are_kept(warehouse: Warehouse, root) -> None:
    ingest(warehouse, write(root, GOOD))
    before = hashes(warehouse)
    with pytest.raises(InputFileError):
        ingest(warehouse, write(root, {**GOOD, f"{NEXT_FOLDER}/signals.csv": b""}))
    assert hashes(warehouse) == before


@pytest.mark.parametrize(
    "content",
    [b"signal_id,event_time,advertiser_id,event_name\n", as_csv([signal("s", event_time="x")])],
)
def test_flat_files_without_a_valid_time_name_the_folder(
    warehouse: Warehouse, root, content: bytes
) -> None:
    with pytest.raises(AdscribeError, match="no row of the logs has a valid time") as caught:
        ingest(warehouse, write(root, {"signals.csv": content}))
    assert str(caught.value).startswith(str(root))


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY_VARIABLE, "a key for the tests only")

    def ingest_command(*options: str):
        arguments = ["ingest", "--logs", str(tmp_path / "logs"), "--db", str(tmp_path / "a.duckdb")]
        return CliRunner().invoke(cli.app, [*arguments, *options])

    return ingest_command


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--day", "2026-02-01"], "2026-02-01: not in the logs"),
        (["--from", "2026-01-06", "--to", "2026-01-05"], "lies after the last"),
        (["--from", "2027-01-01"], "not in the logs"),
    ],
)
def test_days_that_are_not_there_are_an_error(root, command, options, complaint: str) -> None:
    write(root, GOOD)
    result = command(*options)
    assert isinstance(result.exception, AdscribeError)
    assert complaint in str(result.exception)


def test_a_day_that_is_no_date_is_wrong_usage(root, command) -> None:
    write(root, GOOD)
    assert command("--day", "2026-13-01").exit_code == 2
    assert command("--day", "2026-01-05", "--from", "2026-01-05").exit_code == 2
    assert command().exit_code == 0
