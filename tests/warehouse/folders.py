"""Log folders of a few rows, written in any format, and what a warehouse makes of them."""

import csv
import gzip
import io
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl
import pyarrow as pa

from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.ingest import days_in, ingest_logs
from warehouse.keys import IdentifierKey, bind_key
from warehouse.logs import LogFolder
from warehouse.runs import Run

KEY: Final = IdentifierKey((b"a key for tests only",))
DAY: Final = date(2026, 1, 5)
NEXT_DAY: Final = date(2026, 1, 6)
FOLDER: Final = f"date={DAY}"
NEXT_FOLDER: Final = f"date={NEXT_DAY}"
SIGNAL: Final = {
    "signal_id": "s1",
    "event_time": "2026-01-05 10:00:00",
    "advertiser_id": "a1",
    "event_name": "purchase",
}
TOUCH: Final = {
    "touch_id": "t1",
    "event_time": "2026-01-05 09:00:00",
    "user_id": "u1",
    "kind": "click",
    "advertiser_id": "a1",
    "campaign_id": "c1",
}
TABLES_WITH_ROWS: Final = ("activity", "touchpoints", "signals", "costs")

Row = Mapping[str, object]


def signal(signal_id: str, **values: object) -> dict[str, object]:
    """Return a signal that keeps every rule, with other values where given."""
    return {**SIGNAL, "signal_id": signal_id, **values}


def touch(touch_id: str, **values: object) -> dict[str, object]:
    """Return a touchpoint that keeps every rule, with other values where given."""
    return {**TOUCH, "touch_id": touch_id, **values}


def columns_of(rows: Sequence[Row]) -> list[str]:
    """Return the columns of rows, in the order in which they first stand."""
    return list(dict.fromkeys(name for row in rows for name in row))


def as_csv(rows: Sequence[Row], *, delimiter: str = ",") -> bytes:
    """Write rows as Python's csv module does."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns_of(rows), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def as_json_lines(rows: Sequence[Row]) -> bytes:
    """Write rows as one JSON object a line."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_parquet(rows: Sequence[Row]) -> bytes:
    """Write rows as Parquet, every column text."""
    schema = dict.fromkeys(columns_of(rows), pl.String)
    content = io.BytesIO()
    pl.DataFrame([dict(row) for row in rows], schema=schema).write_parquet(content)
    return content.getvalue()


WRITERS: Final = {".csv": as_csv, ".jsonl": as_json_lines, ".parquet": as_parquet}


def zstd(content: bytes) -> bytes:
    """Compress as Zstandard."""
    packed: bytes = pa.compress(content, codec="zstd", asbytes=True)
    return packed


PACKERS: Final = {"": bytes, ".gz": partial(gzip.compress, mtime=0), ".zst": zstd}


def write(root: Path, files: Mapping[str, bytes]) -> LogFolder:
    """Write files below `root`, in the place of whatever is there, and list them."""
    for old in [path for path in root.rglob("*") if path.is_file()]:
        old.unlink()
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return LogFolder.find(root)


def ingest(
    warehouse: Warehouse,
    logs: LogFolder,
    *days: date,
    config: Config | None = None,
    key: IdentifierKey = KEY,
) -> None:
    """Ingest some days of a log folder, all when none is named."""
    settings = config or Config()
    bind_key(warehouse, key)
    run = Run(warehouse, "ingest", settings)
    ingest_logs(run, logs, list(days) or days_in(logs, settings), key)


def select(warehouse: Warehouse, query: str) -> pl.DataFrame:
    """Return what a query of a test's own finds."""
    frame: pl.DataFrame = warehouse._connection.sql(query).pl()
    return frame


def hashes(warehouse: Warehouse) -> dict[str, tuple[int, str]]:
    """Return the number of rows and the hash of each table."""
    rows = warehouse.query("reports/table_hashes").rows()
    return {table: (count, digest) for table, count, digest in rows}


def row_counts(warehouse: Warehouse) -> dict[str, int]:
    """Return the number of rows of each table that has any."""
    return {table: count for table, (count, _) in hashes(warehouse).items() if count}


def rules(warehouse: Warehouse) -> dict[str, int]:
    """Return how many rows broke which rule."""
    quality = warehouse.query("reports/data_quality")
    refused = quality.filter(pl.col("outcome") == "rejected")
    return dict(refused.select("rule", "row_count").iter_rows())


def accounted_for(warehouse: Warehouse) -> int:
    """Return the number of rows that data_quality tells of, accepted or not."""
    return int(warehouse.query("reports/data_quality").get_column("row_count").sum())
