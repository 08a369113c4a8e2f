"""Payloads of TikTok's Events API, written and imported, for the tests of the importer."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.conform import conform
from warehouse.importers import import_tiktok_events
from warehouse.logs import LogFile
from warehouse.schemas import TABLES

EMAIL = hashlib.sha256(b"jane@example.com").hexdigest()
PHONE = hashlib.sha256(b"+15551234567").hexdigest()
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15"
MOMENT = datetime.fromisoformat("2026-01-05 08:00:00")


def event(**changes: object) -> dict[str, object]:
    """Return a web event of version 2.0."""
    return {
        "event": "CompletePayment",
        "event_time": 1767600000,
        "event_id": "e1",
        "user": {
            "email": EMAIL,
            "phone": [PHONE, EMAIL],
            "external_id": ["c" * 64],
            "ttclid": "E.C.P.x-Y_1",
            "ttp": "2F7h37YkS1j57AYSKTI7IHhJPYH",
            "ip": "203.0.113.7",
            "user_agent": AGENT,
            "locale": "en-US",
        },
        "properties": {
            "order_id": "o1",
            "value": 39.98,
            "currency": "usd",
            "contents": [{"content_id": "1077218", "price": 19.99, "quantity": 2}],
        },
        "page": {"url": "https://shop.example/thanks?email=jane@example.com#top"},
    } | changes


def body(*events: object) -> dict[str, object]:
    return {"event_source": "web", "event_source_id": "COQDA8RC77U2", "data": list(events)}


def write(path: Path, *lines: object) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def read(out: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted(out.glob("date=*/signals.parquet")))


def import_events(tmp_path: Path, *lines: object, **options: str) -> pl.DataFrame:
    log = write(tmp_path / "payloads.jsonl", *lines)
    import_tiktok_events(log, tmp_path / "out", **options)
    return read(tmp_path / "out")


def present(row: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value is not None}


def refusals(signals: pl.DataFrame) -> list[str]:
    """Return the rules by which ingestion refuses rows of an imported folder."""
    file = LogFile(Path("signals.parquet"), "signals.parquet", "signals", MOMENT.date())
    rows = signals.with_row_index("source_row").with_columns(pl.col("source_row").cast(pl.Int64))
    return conform(rows, table=TABLES["signals"], file=file, mapping={}).bad["rule"].to_list()
