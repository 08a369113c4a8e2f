"""Files of any supported format → frames of at most some hundred thousand rows.

A frame has the columns that the file has of those wanted, under the file's names, plus
``source_row``: in Parquet the row, in text the line, counted among the lines that can be read.
Text formats give text columns without surrounding space; Parquet gives its own types. Lines that
cannot be split into columns are handed over apart, with what is wrong with them.
"""

import csv
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import duckdb
import polars as pl

from warehouse.database import statement
from warehouse.errors import InputFileError
from warehouse.logs import LogFile

BATCH_ROWS: Final = 250_000
_DELIMITERS: Final = (",", "\t", ";", "|")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ .:-]{0,63}")
_REFUSED_SCHEMA: Final = {"source_row": pl.Int64, "rule": pl.String, "content": pl.String}


@dataclass(frozen=True)
class Batch:
    """Rows as they stand in a file, and lines that are no rows.

    Attributes
    ----------
    rows : DataFrame
        The wanted columns that the file has, and ``source_row`` (Int64).
    refused : DataFrame
        Columns source_row (Int64), rule (String) and content (String, the raw line).
    """

    rows: pl.DataFrame
    refused: pl.DataFrame


def read(file: LogFile, wanted: Collection[str], required: Collection[str]) -> Iterator[Batch]:
    """Read one log file.

    Parameters
    ----------
    file : LogFile
        The file.
    wanted : collection of str
        The columns to read, under the names that they have in the file.
    required : collection of str
        Those that the file must have. JSON lines may leave keys out row by row, so there the rows
        are judged instead.

    Raises
    ------
    InputFileError
        If the file cannot be read at all: cut short, empty, not the format of its name, or
        without a required column.
    """
    try:
        if file.path.stat().st_size == 0:
            raise InputFileError(
                f"{file.name}: the file is empty. Export it again, or remove it if the day had no "
                "rows."
            )
        if file.name.endswith(".parquet"):
            yield from _read_parquet(file, wanted, required)
        elif ".csv" in file.path.suffixes or ".tsv" in file.path.suffixes:
            yield from _read_csv(file, wanted, required)
        else:
            yield from _read_json_lines(file, wanted)
    except (pl.exceptions.PolarsError, duckdb.Error, OSError) as error:
        raise InputFileError(f"{file.name}: {_explain(error)}") from error


def _read_parquet(
    file: LogFile, wanted: Collection[str], required: Collection[str]
) -> Iterator[Batch]:
    scan = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
    present = _present(file, scan.collect_schema().names(), wanted, required)
    rows = scan.select(present).with_row_index("source_row", offset=1)
    rows = rows.with_columns(pl.col("source_row").cast(pl.Int64))
    refused = pl.DataFrame(schema=_REFUSED_SCHEMA)
    for frame in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True):
        yield Batch(frame, refused)


def _read_csv(file: LogFile, wanted: Collection[str], required: Collection[str]) -> Iterator[Batch]:
    with _reader() as connection:
        header, delimiter = _header(connection, file)
        present = _present(file, header, wanted, required)
        relation = connection.sql(
            statement("ingest/read_csv"),
            params={
                "file": str(file.path),
                "columns": dict.fromkeys(header, "VARCHAR"),
                "delimiter": delimiter,
            },
        )
        row = 2  # the header is line 1
        for record_batch in relation.to_arrow_reader(BATCH_ROWS):
            frame = _frame(record_batch).select(present)
            frame = frame.with_columns(pl.all().str.strip_chars())
            yield Batch(_numbered(frame, row), pl.DataFrame(schema=_REFUSED_SCHEMA))
            row += frame.height
        yield _unreadable_lines(connection)


def _read_json_lines(file: LogFile, wanted: Collection[str]) -> Iterator[Batch]:
    keys = sorted(wanted)
    with _reader() as connection:
        relation = connection.sql(
            statement("ingest/read_json_lines"),
            params={
                "file": str(file.path),
                "pointers": ["/" + key.replace("~", "~0").replace("/", "~1") for key in keys],
            },
        )
        row = 1
        for record_batch in relation.to_arrow_reader(BATCH_ROWS):
            frame = _numbered(_frame(record_batch), row)
            row += frame.height
            objects = pl.col("is_object")
            values = pl.col("texts").list.to_struct(fields=keys)
            refused = frame.filter(~objects & (pl.col("line").str.strip_chars() != ""))
            if row == 1 + frame.height and refused.height and _opens_array(refused):
                raise InputFileError(
                    f"{file.name}: a JSON array, not JSON lines. Export one object a line."
                )
            yield Batch(
                frame.filter(objects)
                .select("source_row", values.alias("row"))
                .unnest("row")
                .with_columns(pl.col(pl.String).str.strip_chars()),
                refused.select(
                    "source_row", pl.lit("not_json").alias("rule"), pl.col("line").alias("content")
                ),
            )
        yield _unreadable_lines(connection)


def _opens_array(refused: pl.DataFrame) -> bool:
    return str(refused.get_column("line")[0]).lstrip("\ufeff \t").startswith("[")


def _header(connection: duckdb.DuckDBPyConnection, file: LogFile) -> tuple[list[str], str]:
    lines = connection.sql(statement("ingest/first_line"), params={"file": str(file.path)})
    first = lines.fetchall()
    text = str(first[0][0] or "").lstrip("\ufeff") if first else ""
    if not text:
        raise InputFileError(
            f"{file.name}: no header line. Export it again, or remove it if the day had no rows."
        )
    if "\0" in text:
        raise InputFileError(f"{file.name}: not UTF-8 text. Export it as UTF-8.")
    delimiter = max(_DELIMITERS, key=text.count)
    names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputFileError(
            f"{file.name}: column {_names(twice)} stands twice in the header. Rename one."
        )
    return names, delimiter


def _present(
    file: LogFile, names: Sequence[str], wanted: Collection[str], required: Collection[str]
) -> list[str]:
    """Return the wanted columns in the file's order; raise if a required one is missing."""
    missing = [name for name in required if name not in names]
    if missing:
        raise InputFileError(
            f"{file.name}: required column {missing[0]} is missing; the file has "
            f"{_names(names)}. Export it, or map its name under [columns.{file.table}]."
        )
    return [name for name in names if name in wanted]


def _names(names: Collection[str]) -> str:
    """List column names for an error; what may be data (no header line) is only counted."""
    safe = [name for name in names if _NAME.fullmatch(name)]
    rest = len(names) - len(safe)
    return ", ".join(safe[:40] + ([f"{rest} that are no names"] if rest else []))


@contextmanager
def _reader() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB in memory, apart from the warehouse, to parse text with."""
    connection = duckdb.connect(":memory:")
    try:
        yield connection
    finally:
        connection.close()


def _unreadable_lines(connection: duckdb.DuckDBPyConnection) -> Batch:
    refused = connection.sql(statement("ingest/unreadable_lines")).pl()
    return Batch(pl.DataFrame(schema={"source_row": pl.Int64}), refused.cast(_REFUSED_SCHEMA))


def _frame(record_batch: object) -> pl.DataFrame:
    frame = pl.from_arrow(record_batch)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError("a record batch must become a frame")
    return frame


def _numbered(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    return frame.with_columns(
        pl.int_range(first, first + frame.height, dtype=pl.Int64).alias("source_row")
    )


def _explain(error: Exception) -> str:
    """Say in one line what is wrong with the file and how to mend it."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}. Make it readable."
    text = str(error).partition("\n")[0].strip()
    lowered = text.lower()
    if "gzip" in lowered or "zstd" in lowered or "decompress" in lowered:
        return "the compressed stream is cut short or damaged. Copy or export the file again."
    if any(word in lowered for word in ("parquet", "magic", "thrift", "footer", "out of spec")):
        return "not a whole Parquet file: cut short or damaged. Copy or export it again."
    if "unicode" in lowered or "utf-8" in lowered or "utf8" in lowered:
        return "the text is not UTF-8. Export it as UTF-8."
    return f"cannot be read: {text[:200]}. Export it again."
