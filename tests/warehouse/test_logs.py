"""Which files of a folder are logs, of which table and day."""

from datetime import date
from pathlib import Path

import pytest

from tests.warehouse.folders import DAY, FOLDER, write
from warehouse.errors import InputFileError
from warehouse.logs import LogFolder, unknown_day


@pytest.mark.parametrize(
    ("name", "table", "day"),
    [
        ("signals.csv", "signals", None),
        ("signals-part-7.tsv.gz", "signals", None),
        ("touchpoints.jsonl.zst", "touchpoints", None),
        ("touchpoints.ndjson", "touchpoints", None),
        ("activity/part-0.parquet", "activity", None),
        (f"{FOLDER}/costs.json", "costs", DAY),
        (f"signals/{FOLDER}/part-0.csv", "signals", DAY),
        (f"{FOLDER}/signals.csv.parquet", "signals", DAY),
    ],
)
def test_a_file_is_known_by_its_name_and_folder(
    root: Path, name: str, table: str, day: date | None
) -> None:
    (file,) = write(root, {name: b"x"}).files
    assert (file.name, file.table, file.day) == (name, table, day)


def test_what_is_hidden_or_no_log_is_passed_over(root: Path) -> None:
    names = ["signals.csv", ".signals.csv", "_tmp/signals.csv", "truth_match.parquet", "notes.txt"]
    logs = write(root, dict.fromkeys(names, b"x"))
    assert [file.name for file in logs.files] == ["signals.csv"]


def test_a_link_to_its_own_folder_is_passed_over(root: Path) -> None:
    write(root, {f"{FOLDER}/signals.csv": b"x"})
    (root / FOLDER / "loop").symlink_to(root)
    (root / "activity.csv").symlink_to("activity.csv")
    assert [file.name for file in LogFolder.find(root).files] == [f"{FOLDER}/signals.csv"]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no logs found"),
        (["readme.md"], "no logs found"),
        (["signals.txt"], "signals.txt: not a format that can be read"),
        (["signals.parquet.gz"], "not a format that can be read"),
        (["signals.CSV"], "not a format that can be read"),
        (["date=2026-13-01/signals.csv"], "2026-13-01 is not a date"),
        (["date=20260105/signals.csv"], "20260105 is not a date"),
        (["date=2026-W02-1/signals.csv"], "2026-W02-1 is not a date"),
        (["date=/signals.csv"], " is not a date"),
        ([f"{FOLDER}/date=2026-01-06/signals.csv"], "two date= folders"),
        ([f"{FOLDER}/signals.csv", "signals.csv"], "date= folders and beside them"),
    ],
)
def test_a_folder_that_cannot_be_understood_is_refused(
    root: Path, names: list[str], complaint: str
) -> None:
    with pytest.raises(InputFileError, match=complaint):
        write(root, dict.fromkeys(names, b"x"))


def test_an_address_in_a_file_name_is_refused_and_not_repeated(root: Path) -> None:
    with pytest.raises(InputFileError, match="Rename it") as caught:
        write(root, {"signals of ann@mail.example.csv": b"x"})
    assert "ann@" not in str(caught.value)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "signals.csv").write_bytes(b"x")
    for path in (tmp_path / "signals.csv", tmp_path / "absent"):
        with pytest.raises(InputFileError, match="no such folder"):
            LogFolder.find(path)


def test_days_and_files_are_told_apart_by_layout(root: Path) -> None:
    logs = write(root, {f"{FOLDER}/signals.csv": b"x", "activity.csv": b"x"})
    assert logs.folder_days() == {DAY}
    assert [file.table for file in logs.dated(DAY)] == ["signals"]
    assert [file.table for file in logs.undated()] == ["activity"]


def test_an_unknown_day_names_what_there_is() -> None:
    days = {date(2026, 1, 5), date(2026, 1, 7)}
    assert "hold 2026-01-05 to 2026-01-07" in str(unknown_day(days, date(2026, 2, 1)))
    assert "0001" not in str(unknown_day(set(), date.min))
