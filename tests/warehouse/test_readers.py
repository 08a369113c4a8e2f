"""Readers against Python's csv and json modules and pyarrow, on whole and on broken files."""

import csv
import io
import json
import random
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from tests.warehouse.folders import (
    DAY,
    PACKERS,
    WRITERS,
    as_csv,
    as_json_lines,
    as_parquet,
    signal,
    zstd,
)
from warehouse.conform import conform, refuse_lines
from warehouse.errors import InputFileError
from warehouse.logs import LogFile
from warehouse.readers import Batch, read
from warehouse.schemas import TABLES

COLUMNS = list(TABLES["signals"].columns)
REQUIRED = TABLES["signals"].required
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries({"signal_id": TEXT, "event_name": TEXT, "city": TEXT}), max_size=8
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


def batches(folder: Path, name: str, content: bytes, *, required: list[str]) -> list[Batch]:
    path = folder / name
    path.write_bytes(content)
    return list(read(LogFile(path, name, "signals", DAY), COLUMNS, required))


def rows_of(found: list[Batch]) -> list[dict[str, object]]:
    frames = [batch.rows for batch in found if len(batch.rows)]
    return pl.concat(frames).drop("source_row").to_dicts() if frames else []


def refused(found: list[Batch]) -> list[tuple[int, str]]:
    lines = pl.concat(batch.refused for batch in found)
    return lines.select("source_row", "rule").rows()


def stripped(rows: list[dict[str, str]]) -> list[dict[str, str | None]]:
    # space around a value means nothing in text; an empty one is no value
    space = " \t\n\v\f\x85\xa0" + "".join(map(chr, range(0x2000, 0x200B)))
    space += "\u1680\u2028\u2029\u202f\u205f\u3000"
    return [{k: v.strip(space) or None for k, v in row.items()} for row in rows]


def nulls(rows: list[dict[str, object]], names: list[str]) -> list[dict[str, object]]:
    return [{name: row.get(name) or None for name in names} for row in rows]


@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_csv_reads_as_python_does(folder: Path, rows: list[dict[str, str]]) -> None:
    content = as_csv(rows) if rows else b"signal_id,event_name,city\n"
    expected = stripped(list(csv.DictReader(io.StringIO(content.decode(), newline=""))))
    found = batches(folder, "signals.csv", content, required=[])
    names = ["signal_id", "event_name", "city"]
    assert not refused(found)
    assert nulls(rows_of(found), names) == expected


@given(rows=ROWS)
@settings(max_examples=20, deadline=None)
def test_json_lines_read_as_python_does(folder: Path, rows: list[dict[str, str]]) -> None:
    content = as_json_lines(rows) or b"\n"
    expected = stripped([json.loads(line) for line in content.splitlines() if line])
    found = batches(folder, "signals.jsonl", content, required=[])
    assert not refused(found)
    assert nulls(rows_of(found), ["signal_id", "event_name", "city"]) == expected


@given(rows=ROWS)
@settings(max_examples=30, deadline=None)
def test_parquet_reads_as_pyarrow_does(folder: Path, rows: list[dict[str, str]]) -> None:
    found = batches(folder, "signals.parquet", as_parquet(rows), required=[])
    assert rows_of(found) == parquet.read_table(folder / "signals.parquet").to_pylist()


@pytest.mark.parametrize("ending", WRITERS)
def test_rows_are_numbered_as_they_stand(folder: Path, ending: str) -> None:
    rows = [signal(f"s{n}") for n in range(5)]
    found = batches(folder, f"signals{ending}", WRITERS[ending](rows), required=REQUIRED)
    first = 2 if ending == ".csv" else 1
    numbers = pl.concat(batch.rows for batch in found if len(batch.rows))
    assert numbers.get_column("source_row").to_list() == list(range(first, first + 5))


@pytest.mark.parametrize("packing", PACKERS)
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_any_delimiter_and_compression_reads_alike(
    folder: Path, packing: str, delimiter: str
) -> None:
    rows = [signal(f"s{n}", city="x" * n) for n in range(1, 9)]
    content = PACKERS[packing](as_csv(rows, delimiter=delimiter))
    assert rows_of(batches(folder, f"signals.csv{packing}", content, required=REQUIRED)) == rows


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: text.replace(b"\n", b"\r\n"),
        lambda text: text.replace(b"\n", b"\r"),
        lambda text: text.replace(b"\n", b"\n\n"),
        lambda text: text.rstrip(b"\n"),
        lambda text: text.replace(b"\n", b",\n"),
        lambda text: text.replace(b"\n", b",,\n"),
        lambda text: text.replace(b"\n", b",SIGNAL_ID\n", 1).replace(b"00\n", b"00,x\n"),
    ],
)
def test_forms_that_mean_the_same_read_the_same(folder: Path, change) -> None:
    rows = [dict(sorted(signal(f"s{n}", event_name="p").items())) for n in range(3)]
    order = ["signal_id", "advertiser_id", "event_name", "event_time"]
    rows = [{name: row[name] for name in order} for row in rows]
    found = batches(folder, "signals.csv", change(as_csv(rows)), required=REQUIRED)
    assert rows_of(found) == rows
    assert not refused(found)


def test_a_name_with_wildcards_is_one_file(folder: Path) -> None:
    batches(folder, "signals1.csv", as_csv([signal("other")]), required=REQUIRED)
    found = batches(folder, "signals[1]*.csv", as_csv([signal("mine")]), required=REQUIRED)
    assert [row["signal_id"] for row in rows_of(found)] == ["mine"]


def test_lines_of_a_wrong_width_are_refused_by_line(folder: Path) -> None:
    head, *lines = as_csv([signal(f"s{n}") for n in range(6)]).splitlines(keepends=True)
    lines[1] = b"s1,2026-01-05\n"
    lines[3] = lines[3].strip() + b",one,more\n"
    lines[4] = lines[4].replace(b"purchase", b"Z\xfcrich")
    found = batches(folder, "signals.csv", head + b"".join(lines), required=REQUIRED)
    assert [row["signal_id"] for row in rows_of(found)] == ["s0", "s2", "s5"]
    assert refused(found) == [
        (3, "unreadable_missing_columns"),
        (5, "unreadable_too_many_columns"),
        (6, "unreadable_invalid_encoding"),
    ]


def test_lines_that_are_no_object_are_refused_by_line(folder: Path) -> None:
    good = as_json_lines([signal("s1")])
    content = good + b'null\n[1, 2]\n"text"\n{"a": \n' + good + b"\xff\n"
    found = batches(folder, "signals.jsonl", content, required=REQUIRED)
    assert len(rows_of(found)) == 2
    assert refused(found) == [
        *((line, "not_json") for line in (2, 3, 4, 5)),
        (7, "unreadable_invalid_encoding"),
    ]


def test_an_unclosed_quote_is_named_by_its_line_however_long_the_file(folder: Path) -> None:
    for height in (5, 150_000):  # the parser's blocks are smaller than the second
        lines = as_csv([signal(f"s{n}", city="x" * 60) for n in range(height)]).splitlines()
        lines[3] = lines[3][:-5] + b'"open'
        lines[3] = lines[3].replace(b"," + b"x" * 55 + b'"', b',"' + b"x" * 55)
        with pytest.raises(InputFileError, match=r"^signals\.csv, line 4: a quote opens"):
            batches(folder, "signals.csv", b"\n".join(lines), required=REQUIRED)


def warnings_of(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    table: str,
    extra: list[str],
    mapping: dict[str, str],
    ending: str = ".csv",
) -> list[str]:
    columns = TABLES[table].columns
    wanted = [mapping.get(name, name) for name in columns]
    required = [mapping.get(name, name) for name in TABLES[table].required]
    names = [*required, *extra]
    path = folder / f"{table}{ending}"
    path.write_bytes(WRITERS[ending]([dict.fromkeys(names, "x")]))
    caplog.clear()
    for _ in read(LogFile(path, path.name, table, DAY), wanted, required):
        pass
    return caplog.messages


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("table", "extra", "hint"),
    [
        ("signals", ["Email"], "column Email is ignored; did you mean email?"),
        ("signals", ["E-Mail"], "column E-Mail is ignored; did you mean email?"),
        ("signals", ["email_sha256"], "column email_sha256 is ignored; did you mean email?"),
        ("signals", ["hashed_email"], "column hashed_email is ignored; did you mean email?"),
        ("signals", ["phone_number"], "column phone_number is ignored; did you mean phone?"),
        ("signals", ["IP address"], "column IP address is ignored; did you mean ip?"),
        (
            "signals",
            ["recieved_time"],
            "column recieved_time is ignored; did you mean received_time?",
        ),
        ("signals", ["email", "EMAIL"], "column EMAIL is ignored; email is read."),
        (
            "signals",
            ["email", "email_sha256"],
            "column email_sha256 is ignored; it is a column of activity.",
        ),
        ("activity", ["email"], "column email is ignored; did you mean email_sha256?"),
        ("activity", ["Phone"], "column Phone is ignored; did you mean phone_sha256?"),
        (
            "touchpoints",
            ["Ad_ID", "order_id"],
            "column Ad_ID is ignored; did you mean ad_id? "
            "Column order_id is ignored; it is a column of signals.",
        ),
    ],
)
def test_an_ignored_column_that_looks_like_one_of_a_log_is_told(
    folder: Path,
    caplog: pytest.LogCaptureFixture,
    table: str,
    extra: list[str],
    hint: str,
    ending: str,
) -> None:
    assert warnings_of(folder, caplog, table, extra, {}, ending) == [f"{table}{ending}: {hint}"]


@pytest.mark.parametrize(
    ("extra", "mapping"),
    [
        (["email", "city"], {}),
        (["basket", "shop", "age_band", "utm_source", "id", "x"], {}),
        (["email_sha256"], {"email": "email_sha256"}),  # a mapped source is wanted
        (["mail", "email"], {"email": "mail"}),  # and the column's own name is not, on purpose
        (["mail", "Email"], {"email": "mail"}),
        (["jane@example.com", "Email\u00e4", "+1 555 123 4567"], {}),  # may be data
    ],
)
def test_other_ignored_columns_are_not_told(
    folder: Path, caplog: pytest.LogCaptureFixture, extra: list[str], mapping: dict[str, str]
) -> None:
    assert warnings_of(folder, caplog, "signals", extra, mapping) == []


def test_a_look_at_some_columns_tells_nothing(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = folder / "signals.csv"
    path.write_bytes(as_csv([signal("s1", Email="x")]))
    list(read(LogFile(path, path.name, "signals", DAY), ["received_time", "event_time"], []))
    assert caplog.messages == []


CSV = as_csv([signal(f"s{n}", city=f"{n * 7919}") for n in range(3000)])
PARQUET = as_parquet([signal(f"s{n}") for n in range(300)])
JSON = as_json_lines([signal("s1"), signal("s2")])


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("signals.csv", b"", "the file is empty"),
        ("signals.csv.gz", PACKERS[".gz"](b""), "the file is empty"),
        ("signals.jsonl.zst", zstd(b""), "the file is empty"),
        ("signals.parquet", b"", "the file is empty"),
        ("signals.csv", b"\n", "no header line"),
        ("signals.csv", b"   \n" + CSV, "no header line"),
        ("signals.csv", CSV.partition(b"\n")[2], "names none of the log's columns"),
        ("signals.csv", CSV.replace(b"event_name", b"event", 1), "column event_name is missing"),
        ("signals.csv", CSV.replace(b"city", b"event_name", 1), "event_name stands twice"),
        ("signals.csv", CSV.upper(), "the file has SIGNAL_ID"),
        ("signals.csv", CSV.decode().encode("utf-16"), "not UTF-8"),
        ("signals.csv", CSV.decode().encode("utf-16-le"), "not UTF-8"),
        ("signals.csv", CSV.replace(b"city", b"cit\xff", 1), "not UTF-8"),
        ("signals.jsonl", JSON.decode().encode("utf-16"), "not UTF-8"),
        ("signals.csv", CSV[:200] + CSV[200:].replace(b"\n", b"\r\n"), "lines end in different"),
        ("signals.csv", PACKERS[".gz"](CSV), "holds gzip, not text"),
        ("signals.csv", zstd(CSV), "holds Zstandard, not text"),
        ("signals.csv", PARQUET, "holds Parquet, not text"),
        ("signals.csv.gz", CSV, "cut short or damaged"),
        ("signals.csv.zst", CSV, "cut short or damaged"),
        ("signals.csv.gz", PACKERS[".gz"](CSV)[:-1], "cut short or damaged"),
        ("signals.csv.gz", PACKERS[".gz"](CSV)[:-8] + bytes(8), "cut short or damaged"),
        ("signals.csv.gz", PACKERS[".gz"](CSV)[:2000], "cut short or damaged"),
        ("signals.csv.zst", zstd(CSV)[:-1], "cut short or damaged"),
        ("signals.csv.zst", zstd(CSV)[:2000], "cut short or damaged"),
        ("signals.jsonl.zst", zstd(JSON)[:-3], "cut short or damaged"),
        ("signals.parquet", PARQUET[:-1], "cut short or damaged"),
        ("signals.parquet", PARQUET[: len(PARQUET) // 2], "cut short or damaged"),
        ("signals.parquet", b"PAR1", "cut short or damaged"),
        ("signals.parquet", CSV, "cut short or damaged"),
        ("signals.jsonl", b"[" + JSON + b"]", "a JSON array"),
        ("signals.jsonl", b"\xef\xbb\xbf \n[\n", "a JSON array"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_line_with_its_name(
    folder: Path, name: str, content: bytes, complaint: str
) -> None:
    with pytest.raises(InputFileError) as caught:
        batches(folder, name, content, required=REQUIRED)
    message = str(caught.value)
    assert message.startswith(name)
    assert complaint in message
    assert "\n" not in message


def judged(folder: Path, name: str, content: bytes) -> tuple[int, int] | None:
    """Return how many rows are good and bad; None where the file is refused in one line."""
    path = folder / name
    path.write_bytes(content)
    file, table = LogFile(path, name, "signals", DAY), TABLES["signals"]
    good = bad = 0
    try:
        for batch in read(file, COLUMNS, REQUIRED):
            if len(batch.rows):
                halves = conform(batch.rows, table=table, file=file, mapping={})
                assert len(halves.good) + len(halves.bad) == len(batch.rows)
                good, bad = good + len(halves.good), bad + len(halves.bad)
            bad += len(refuse_lines(batch.refused, file=file))
    except InputFileError as error:
        if "\n" in str(error):
            raise AssertionError("an error is one line") from error
        return None
    return good, bad


def test_a_parquet_file_with_column_names_that_are_no_text_is_one_line(folder: Path) -> None:
    content = WRITERS[".parquet"]([signal("s1")])
    names = content.replace(b"signal_id", b"signal\xffid")
    assert names != content
    assert judged(folder, "signals.parquet", names) is None


SPOILS = [b"\n", b"\r", b",", b"\0", b"\xff", b"{", b"[", b"}", b"\\", b" ", b"\x01", b"1e999"]


@given(
    ending=st.sampled_from([".csv", ".jsonl", ".parquet"]),
    packing=st.sampled_from(["", ".gz", ".zst"]),
    seed=st.integers(0, 2**32),
    spoils=st.lists(st.sampled_from([*SPOILS, b'"', b'""']), min_size=1, max_size=8),
    cut=st.floats(0, 1),
)
@settings(max_examples=80, deadline=None)
def test_any_content_is_rows_or_one_line(
    folder: Path, ending: str, packing: str, seed: int, spoils: list[bytes], cut: float
) -> None:
    chosen = random.Random(seed)  # noqa: S311
    content = bytearray(WRITERS[ending]([signal("s1")] * 30))
    for spoil in spoils:
        place = chosen.randrange(len(content))
        content[place : place + chosen.choice([0, 1, 3])] = spoil
    spoiled = bytes(content if chosen.random() < 0.7 else content[: int(cut * len(content))])
    packing = "" if ending == ".parquet" else packing
    counts = judged(folder, f"signals{ending}{packing}", PACKERS[packing](spoiled))
    assert counts is None or min(counts) >= 0


@given(seed=st.integers(0, 2**32), spoils=st.lists(st.sampled_from(SPOILS[2:]), max_size=8))
@settings(max_examples=25, deadline=None)
def test_every_line_of_text_is_a_good_or_a_bad_row(
    folder: Path, seed: int, spoils: list[bytes]
) -> None:
    rows = [signal(f"s{n}") for n in range(20)]
    for name, content in (
        ("signals.csv", as_csv(rows)),
        ("signals.jsonl", as_json_lines(rows)),
    ):
        chosen, lines = random.Random(seed), content.splitlines()  # noqa: S311
        for spoil in spoils:
            number = chosen.randrange(1, len(lines))
            place = chosen.randrange(len(lines[number]))
            lines[number] = lines[number][:place] + spoil + lines[number][place:]
        counts = judged(folder, name, b"\n".join(lines))
        assert counts is not None
        assert sum(counts) == len(rows)
