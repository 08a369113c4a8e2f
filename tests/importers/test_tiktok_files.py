"""Files of TikTok's payloads: how they are packed, cut short, and what is no event in them."""

import gzip
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from tests.importers.tiktok_payloads import (
    body,
    event,
    import_events,
    present,
    read,
    refusals,
    write,
)
from warehouse.errors import InputFileError
from warehouse.importers import event_payloads, import_tiktok_events


def _as_is(content: bytes) -> bytes:
    return content


def _zstandard(content: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(content))


@pytest.mark.parametrize("pack", [_as_is, gzip.compress, _zstandard])
@pytest.mark.parametrize("name", ["log.jsonl", "log.jsonl.gz", "log.zst"])
def test_contents_not_the_name_tell_the_compression(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    log = tmp_path / name
    part = f"{json.dumps(body(event(), event()))}\n".encode()
    log.write_bytes(pack(part) + pack(part))

    assert import_tiktok_events(log, tmp_path / "out") == {"signals": 4}


def test_rows_are_the_same_in_however_many_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [event(event_id=str(number)) for number in range(25)]
    log = write(tmp_path / "log", *(body(event, event) for event in events))
    import_tiktok_events(log, tmp_path / "one")

    monkeypatch.setattr(event_payloads, "_BATCH_ROWS", 3)
    import_tiktok_events(log, tmp_path / "many")

    assert read(tmp_path / "many").equals(read(tmp_path / "one"))
    assert read(tmp_path / "many").height == 50


@pytest.mark.parametrize("pack", [gzip.compress, _zstandard])
def test_file_that_is_cut_short_is_refused_and_nothing_is_written(
    tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    log = tmp_path / "log.jsonl"
    log.write_bytes(pack(json.dumps(body(event())).encode())[:-3])

    with pytest.raises(InputFileError, match="is cut short or damaged") as caught:
        import_tiktok_events(log, tmp_path / "out")

    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_line_or_event_that_is_none_says_only_where_it_stood(tmp_path: Path) -> None:
    signals = import_events(
        tmp_path,
        "\ufeff" + json.dumps(body(event(), "jane@example.com", {"name": "jane@example.com"})),
        "jane@example.com is no JSON",
        "   ",
        '{"jane@example.com": 1}',
        '["jane@example.com"]',
        "[" * 100_000,
    )

    junk = signals.filter(pl.col("event_time").is_null())
    assert [list(present(row).values()) for row in junk.iter_rows(named=True)] == [
        ["line 1, event 2"], ["line 1, event 3"], ["line 2"], ["line 4"], ["line 5"], ["line 6"],
    ]  # fmt: skip
    assert signals.height == 7
    assert refusals(signals) == ["event_time.missing"] * 6


@pytest.mark.parametrize("depth", [500, 980, 5000, 50_000])
@pytest.mark.parametrize("key", ["event_id", "limited_data_use", "other"])
def test_event_that_is_nested_deep_is_a_row_like_any(tmp_path: Path, key: str, depth: int) -> None:
    deep = json.dumps({"event": "x", key: "deep"}).replace('"deep"', "[" * depth + "]" * depth)

    assert import_events(tmp_path, body(event()), deep).height == 2


@pytest.mark.parametrize("pack", [_as_is, gzip.compress, _zstandard])
def test_pipe_is_read_from_its_first_byte(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    lines = "".join(f"{json.dumps(body(event(event_id=str(n))))}\n" for n in range(200))
    writer = threading.Thread(target=pipe.write_bytes, args=(pack(lines.encode()),))
    writer.start()

    rows = import_tiktok_events(pipe, tmp_path / "out")

    writer.join()
    assert rows == {"signals": 200}


def test_line_that_is_not_utf8_is_passed_on_without_its_content(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(json.dumps(body(event())).encode() + b'\n{"event": "caf\xe9"}\n')

    import_tiktok_events(log, tmp_path / "out")

    assert read(tmp_path / "out")["signal_id"].to_list() == ["e1", "line 2"]


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "a,b\n1,2\n", '{"data": []}\n', '{"data": [{"event_name": "Purchase"}]}\n',
     '{\n"event": "x"\n}\n', "PAR1\x00\x15"],
)  # fmt: skip
def test_file_without_an_event_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    log = tmp_path / "log.jsonl"
    log.write_text(content)

    with pytest.raises(InputFileError, match="holds no event of the TikTok Events API") as caught:
        import_tiktok_events(log, tmp_path / "out")

    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_events_without_any_advertiser_or_time_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="Give the id with --advertiser-id"):
        import_events(tmp_path, event())
    with pytest.raises(InputFileError, match="Give the id with --advertiser-id"):
        import_events(tmp_path, event(), advertiser_id="  ")
    with pytest.raises(InputFileError, match="no event has a time"):
        import_events(tmp_path, body(event(event_time=None)))


def test_absent_file_folder_and_taken_place_are_refused(tmp_path: Path) -> None:
    log = write(tmp_path / "log", body(event()))

    for wrong in (tmp_path / "absent", tmp_path):
        with pytest.raises(InputFileError, match="cannot be opened"):
            import_tiktok_events(wrong, tmp_path / "out")
    with pytest.raises(InputFileError, match="is not empty"):
        import_tiktok_events(log, tmp_path)
