"""Laws of writing a log folder: whole days, fixed bytes, all or nothing."""

import os
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from warehouse.errors import InputFileError
from warehouse.importers.log_folder import LOGS, require_absent_or_empty, write_log_folder
from warehouse.schemas import TABLES

DAY = date(2013, 10, 21)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _logs() -> dict[str, pl.DataFrame]:
    """Return an activity row on the 20th, touches on the 21st and 22nd, and no signals."""
    return {
        "activity": pl.DataFrame({"user_id": ["a"], "event_time": [_at("2013-10-20 23:00:00")]}),
        "touchpoints": pl.DataFrame(
            {
                "touch_id": ["2", "1", "3"],
                "event_time": [_at("2013-10-22 00:00:00"), _at("2013-10-21 00:00:00"), None],
            }
        ),
        "signals": pl.DataFrame(schema={"signal_id": pl.String, "event_time": pl.Datetime("us")}),
    }


def _truth() -> pl.DataFrame:
    return pl.DataFrame({"signal_id": ["s"], "user_id": ["a"]})


def test_every_day_has_all_logs_with_all_columns_in_order(tmp_path: Path) -> None:
    out = tmp_path / "logs"

    counts = write_log_folder(out, _logs(), _truth(), undated=DAY)

    assert counts == {"activity": 1, "touchpoints": 3, "signals": 0, "truth_match": 1}
    days = ["date=2013-10-20", "date=2013-10-21", "date=2013-10-22"]
    assert sorted(path.name for path in out.iterdir()) == [*days, "truth_match.parquet"]
    for day in days:
        assert sorted(path.stem for path in (out / day).iterdir()) == sorted(LOGS)
        for name in LOGS:
            schema = pl.read_parquet_schema(out / day / f"{name}.parquet")
            assert list(schema.items()) == list(TABLES[name].columns.items())


def test_truth_has_its_columns_where_cause_and_value_are_unknown(tmp_path: Path) -> None:
    write_log_folder(tmp_path / "logs", _logs(), _truth(), undated=DAY)

    truth = pl.read_parquet(tmp_path / "logs" / "truth_match.parquet")

    assert dict(truth.schema) == {
        "signal_id": pl.String,
        "user_id": pl.String,
        "caused_by": pl.String,
        "value": pl.Float64,
    }
    assert truth.rows() == [("s", "a", None, None)]


def test_row_without_a_time_goes_to_the_day_of_the_undated(tmp_path: Path) -> None:
    write_log_folder(tmp_path / "logs", _logs(), _truth(), undated=DAY)

    touches = pl.read_parquet(tmp_path / "logs" / "date=2013-10-21" / "touchpoints.parquet")

    assert touches.select("touch_id", "event_time").rows() == [
        ("1", _at("2013-10-21 00:00:00")),
        ("3", None),
    ]


def test_rows_of_one_time_keep_their_order(tmp_path: Path) -> None:
    names = [str(number % 7) for number in range(500)]
    touches = pl.DataFrame({"touch_id": names, "event_time": [_at("2013-10-21 00:00:00")] * 500})

    write_log_folder(tmp_path / "logs", _logs() | {"touchpoints": touches}, _truth(), undated=DAY)

    written = pl.read_parquet(tmp_path / "logs" / "date=2013-10-21" / "touchpoints.parquet")
    assert written["touch_id"].to_list() == names


def test_same_rows_give_the_same_bytes_however_they_are_chunked(tmp_path: Path) -> None:
    whole = _logs()
    chunked = whole | {
        "touchpoints": pl.concat(
            [whole["touchpoints"][:1], whole["touchpoints"][1:]], rechunk=False
        )
    }

    write_log_folder(tmp_path / "one", whole, _truth(), undated=DAY)
    write_log_folder(tmp_path / "two", chunked, _truth(), undated=DAY)

    files = sorted(path.relative_to(tmp_path / "one") for path in tmp_path.glob("one/**/*.parquet"))
    assert len(files) == 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_empty_folder_is_written_and_missing_parents_are_made(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    write_log_folder(tmp_path / "empty", _logs(), _truth(), undated=DAY)
    write_log_folder(tmp_path / "a" / "b" / "logs", _logs(), _truth(), undated=DAY)

    assert (tmp_path / "empty" / "truth_match.parquet").is_file()
    assert (tmp_path / "a" / "b" / "logs" / "truth_match.parquet").is_file()
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["logs"]


def test_folder_that_holds_anything_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")

    with pytest.raises(InputFileError, match="is not empty"):
        write_log_folder(tmp_path, _logs(), _truth(), undated=DAY)

    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


def test_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("mine")

    with pytest.raises(InputFileError, match="logs: is a file, not a folder"):
        require_absent_or_empty(tmp_path / "logs")


def test_folder_whose_name_is_not_utf8_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="the name is not UTF-8"):
        require_absent_or_empty(tmp_path / os.fsdecode(b"logs\xff"))


def test_folder_below_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")

    with pytest.raises(InputFileError, match="Give a folder") as caught:
        write_log_folder(tmp_path / "file" / "logs", _logs(), _truth(), undated=DAY)

    assert "\n" not in str(caught.value)


def test_write_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def fail_at_the_fifth(_: pl.DataFrame, path: Path, **_options: object) -> None:
        written.append(path)
        if len(written) == 5:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail_at_the_fifth)

    with pytest.raises(InputFileError, match="logs: cannot be written: No space left on device"):
        write_log_folder(tmp_path / "logs", _logs(), _truth(), undated=DAY)

    assert len(written) == 5
    assert list(tmp_path.iterdir()) == []
