"""Files of any supported format → frames of at most some hundred thousand rows.

A frame has the columns that the file has of those wanted, under the file's names, plus
``source_row``: in Parquet the row, in text the line, counted among the lines that can be read.
Text formats give text columns without surrounding space; Parquet gives its own types. Lines that
cannot be split into columns are handed over apart, with what is wrong with them.
"""

import glob
import logging
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import duckdb
import polars as pl
import pyarrow as pa
from pyarrow import parquet

from warehouse.database import statement
from warehouse.errors import InputFileError
from warehouse.ignored_columns import describe_ignored
from warehouse.logs import LogFile
from warehouse.privacy import without_contacts
from warehouse.schemas import TABLES
from warehouse.text_files import empty, header, require_lines

_log = logging.getLogger("adscribe")
# What the readers raise on content that they cannot read; a damaged Parquet file's names need not
# be text.
_READ_ERRORS: Final = (
    pl.exceptions.PolarsError,
    pl.exceptions.PanicException,
    pa.ArrowException,
    duckdb.Error,
    OSError,
    UnicodeDecodeError,
)
BATCH_ROWS: Final = 250_000
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_ .:-]{0,63}")
# Records that may reach over lines which are no part of them.
_SWALLOWING: Final = ("unreadable_unquoted_value", "unreadable_line_size_over_maximum")
_EXPLANATIONS: Final = {
    ("gzip", "zlib", "zstd", "decompress", "compressed stream", "frame descriptor"): (
        "the compressed stream is cut short or damaged. Copy or export the file again."
    ),
    ("unicode", "utf-8", "utf8"): "the text is not UTF-8. Export it as UTF-8.",
    ("parquet", "magic", "thrift", "flatbuffers", "base64", "page", "corrupt", "encod"): (
        "not a whole Parquet file: cut short or damaged. Copy or export it again."
    ),
    ("state machine",): (
        "its lines end in different ways (LF and CR LF), or its quotes stand in wrong places. "
        "Export it with one kind of line end."
    ),
}
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

    Columns of a file with a header that are ignored, but look like one of a log, are logged in one
    line; not where `wanted` is a part of the log's columns only, for then the file is read again.

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
            raise empty(file)
        if file.name.endswith(".parquet"):
            yield from _read_parquet(file, wanted, required)
        elif ".csv" in file.path.suffixes or ".tsv" in file.path.suffixes:
            yield from _read_csv(file, wanted, required)
        else:
            yield from _read_json_lines(file, wanted)
    except _READ_ERRORS as error:
        raise InputFileError(f"{file.name}: {_explain(error)}") from error


def _read_parquet(
    file: LogFile, wanted: Collection[str], required: Collection[str]
) -> Iterator[Batch]:
    # Not Polars' own reader: on a damaged file it may end the process.
    with parquet.ParquetFile(file.path) as source:
        present = _present(file, source.schema_arrow.names, wanted, required)
        refused = pl.DataFrame(schema=_REFUSED_SCHEMA)
        row = 1
        for record_batch in source.iter_batches(BATCH_ROWS, columns=present):
            # Under names of ours: a damaged file's own need not be text.
            record_batch = pa.RecordBatch.from_arrays(record_batch.columns, names=present)
            record_batch.validate(full=True)
            yield Batch(_numbered(_frame(record_batch), row), refused)
            row += record_batch.num_rows


def _read_csv(file: LogFile, wanted: Collection[str], required: Collection[str]) -> Iterator[Batch]:
    names, delimiter = header(file)
    present = _present(file, names, wanted, required)
    # By place, not by name: other columns may be called anything, and alike.
    columns = [pl.col(f"column{names.index(name)}").alias(name) for name in present]
    with _reader() as connection:
        relation = connection.sql(
            statement("ingest/read_csv"),
            params={
                "file": glob.escape(str(file.path)),
                "columns": {f"column{place}": "VARCHAR" for place in range(len(names))},
                "delimiter": delimiter,
            },
        )
        row = 2  # the header is line 1
        for record_batch in relation.to_arrow_reader(BATCH_ROWS):
            frame = _frame(record_batch).select(columns)
            frame = frame.with_columns(pl.all().str.strip_chars())
            yield Batch(_numbered(frame, row), pl.DataFrame(schema=_REFUSED_SCHEMA))
            row += frame.height
        refused = _unreadable_lines(connection)
        _require_closed_quotes(file, refused)
        yield Batch(pl.DataFrame(schema={"source_row": pl.Int64}), refused)


def _require_closed_quotes(file: LogFile, refused: pl.DataFrame) -> None:
    """Raise if a refused line opens a quote that it does not close: rows after it are lost."""
    first_line = pl.col("content").str.split("\n").list.first()
    is_open = first_line.str.count_matches('"', literal=True) % 2 == 1
    open_lines = refused.filter(pl.col("rule").is_in(_SWALLOWING) & is_open)
    if len(open_lines):
        line = open_lines.get_column("source_row").sort().item(0)
        raise InputFileError(
            f"{file.name}, line {line}: a quote opens that nothing closes, so that the lines after "
            "it cannot be told apart. Close it, or double it inside a value."
        )


def _read_json_lines(file: LogFile, wanted: Collection[str]) -> Iterator[Batch]:
    keys = sorted(set(wanted))
    require_lines(file)
    with _reader() as connection:
        relation = connection.sql(
            statement("ingest/read_json_lines"),
            params={
                "file": glob.escape(str(file.path)),
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
            yield Batch(
                frame.filter(objects)
                .select("source_row", values.alias("row"))
                .unnest("row")
                .with_columns(pl.col(pl.String).str.strip_chars()),
                refused.select(
                    "source_row", pl.lit("not_json").alias("rule"), pl.col("line").alias("content")
                ),
            )
        yield Batch(pl.DataFrame(schema={"source_row": pl.Int64}), _unreadable_lines(connection))


def _present(
    file: LogFile, names: Sequence[str], wanted: Collection[str], required: Collection[str]
) -> list[str]:
    """Return the wanted columns in the file's order; raise if a required one is missing."""
    missing = [name for name in required if name not in names]
    if missing:
        lowered = {name.lower() for name in names}
        found = (
            f"the file has {_names(names)}"
            if any(name.lower() in lowered for name in wanted)
            else "its first line names none of the log's columns"
        )
        raise InputFileError(
            f"{file.name}: required column {missing[0]} is missing; {found}. "
            f"Export it, or map its name under [columns.{file.table}]."
        )
    present = [name for name in names if name in wanted]
    for name in present:
        if present.count(name) > 1:
            raise InputFileError(
                f"{file.name}: column {name} stands twice in the header. Rename one."
            )
    if len(wanted) == len(TABLES[file.table].columns):
        plain = [name for name in names if _NAME.fullmatch(name)]
        ignored = describe_ignored(file.table, plain, wanted)
        if ignored is not None:
            _log.warning("%s: %s", file.name, ignored)
    return present


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


def _unreadable_lines(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    refused: pl.DataFrame = connection.sql(statement("ingest/unreadable_lines")).pl()
    return refused.select(pl.col(name).cast(dtype) for name, dtype in _REFUSED_SCHEMA.items())


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
    for words, explanation in _EXPLANATIONS.items():
        if any(word in lowered for word in words):
            return explanation
    return f"cannot be read: {without_contacts(text[:200])}. Export it again."
