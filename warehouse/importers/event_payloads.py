"""What advertisers send to a platform's events API, as JSON lines, into a log folder of signals.

One line is one request body, or one event of it. A platform's module says how a body unfolds into
events and where an event keeps what a signal holds; here is what they share. No e-mail address and
no phone number is written in clear: the platform's digests stand for them (`event_contacts`), and
digests for an id that holds one.
"""

import gzip
import hashlib
import io
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import polars as pl
import pyarrow as pa

from warehouse.errors import InputFileError
from warehouse.importers.event_contacts import ContactDigests, countries
from warehouse.importers.event_values import BEYOND, digest, text
from warehouse.importers.log_folder import require_absent_or_empty, write_log_folder
from warehouse.privacy import withhold_contacts
from warehouse.recipes import Recipe
from warehouse.schemas import EARLIEST, LATEST, TABLES

Payload: TypeAlias = Mapping[str, Any]

_log = logging.getLogger("adscribe")
_BATCH_ROWS: Final = 20_000
_GZIP: Final = b"\x1f\x8b"
_ZSTANDARD: Final = b"\x28\xb5\x2f\xfd"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_QUERY: Final = r"[?#;].*$"
_COLUMNS: Final = TABLES["signals"].columns
_IDS: Final = (
    "signal_id", "advertiser_id", "event_name", "order_id", "click_id", "cookie_id", "device_id",
    "external_id",
)  # fmt: skip
_PLACES: Final = ("screen", "language", "country", "region", "city", "timezone")


@dataclass(frozen=True)
class EventsApi:
    """How the payloads of one platform are read.

    Attributes
    ----------
    name : str
        Its name in errors.
    unfold : callable
        Returns the events of a request body, or of a body that is one event, each with what the
        body says of them all; None where it is no body of this API.
    read : callable
        Returns the columns of a signal, with lists of all values as email and phone; None where it
        is no event of this API.
    recipe : Recipe
        How the platform digests e-mails and phones.
    """

    name: str
    unfold: Callable[[Payload], list[Any] | None]
    read: Callable[[Payload], dict[str, Any] | None]
    recipe: Recipe


def import_events(
    payloads: Path, out: Path, api: EventsApi, *, advertiser_id: str | None
) -> dict[str, int]:
    """Write the events of a file of payloads as ``date=YYYY-MM-DD/signals.parquet``.

    The e-mails and phones that were refused, and times beyond all reason, are logged in one line
    each.

    Parameters
    ----------
    payloads : Path
        JSON lines, plain, gzip or Zstandard; the first bytes tell which.
    out : Path
        The log folder to write, absent or empty.
    api : EventsApi
        Whose payloads they are.
    advertiser_id : str or None
        The advertiser of all events; None where the payloads name it.

    Returns
    -------
    dict of str to int
        Rows written for signals.

    Raises
    ------
    InputFileError
        If the file is damaged or holds no event of this API, if no event has a time or names an
        advertiser, or `out` is taken.
    """
    require_absent_or_empty(out)
    contacts = ContactDigests(api.recipe)
    signals = pl.concat(_read_batches(payloads, api, text(advertiser_id), contacts))
    found = signals.filter(pl.col("event_name").is_not_null())
    if found.is_empty():
        raise InputFileError(
            f"{payloads}: holds no event of the {api.name}. "
            "Give JSON lines in UTF-8 (plain, .gz or .zst), each one request body or one event."
        )
    if found["advertiser_id"].null_count() == found.height:
        raise InputFileError(
            f"{payloads}: no event names its advertiser. Give the id with --advertiser-id."
        )
    time = pl.col("event_time")
    undated = found.filter((time >= EARLIEST) & (time < LATEST)).select(time.dt.date().min()).item()
    if undated is None:
        raise InputFileError(
            f"{payloads}: no event has a time between 2000 and 2099. "
            "Give times as Unix seconds, not milliseconds, or ISO 8601."
        )
    rows = write_log_folder(out, {"signals": _tell_apart(signals)}, None, undated=undated)
    _report(payloads, signals, contacts)
    return rows


def _report(payloads: Path, signals: pl.DataFrame, contacts: ContactDigests) -> None:
    """Log what was lost of the events: contacts that were refused, times that are none."""
    refused = contacts.refusals()
    if refused is not None:
        _log.warning("%s: %s", payloads, refused)
    late = signals.filter(pl.col("event_time") == BEYOND).height
    if late:
        _log.warning(
            "%s: event times after the year 9999: %s. Times are Unix seconds, these look like "
            "milliseconds; ingestion will refuse these events.",
            payloads,
            f"{late:,}",
        )


def _read_batches(
    path: Path, api: EventsApi, advertiser_id: str | None, contacts: ContactDigests
) -> Iterator[pl.DataFrame]:
    """Read the file in frames of some ten thousand rows, so that not every payload is held."""
    yield _to_frame([], contacts)
    rows: list[dict[str, Any]] = []
    with _open(path) as stream:
        for number, line in enumerate(stream, start=1):
            for row in _read_line(line.removeprefix(_BYTE_ORDER_MARK), number, api):
                if advertiser_id is not None and row.get("event_name") is not None:
                    row["advertiser_id"] = advertiser_id
                rows.append(row)
            if len(rows) >= _BATCH_ROWS:
                yield _to_frame(rows, contacts)
                rows.clear()
    yield _to_frame(rows, contacts)


@contextmanager
def _open(path: Path) -> Iterator[io.BufferedIOBase]:
    """Open a plain, gzip or Zstandard file for reading; whatever goes wrong is told in one line."""
    try:
        stored = path.open("rb")
    except OSError as error:
        raise InputFileError(
            f"{path}: cannot be opened: {error.strerror or type(error).__name__}. "
            "Check the path and its permissions."
        ) from error
    try:
        # Opened once and only looked ahead in: what a pipe has given does not come again.
        with stored, _decompress(stored) as stream:
            yield stream
    except (EOFError, OSError, zlib.error) as error:
        raise InputFileError(
            f"{path}: the file is cut short or damaged. Copy or export it again."
        ) from error


def _decompress(stored: io.BufferedReader) -> io.BufferedIOBase:
    magic = stored.peek(len(_ZSTANDARD))
    if magic.startswith(_ZSTANDARD):
        return io.BufferedReader(pa.CompressedInputStream(stored, "zstd"))
    return gzip.GzipFile(fileobj=stored) if magic.startswith(_GZIP) else stored


def _read_line(line: bytes, number: int, api: EventsApi) -> Iterator[dict[str, Any]]:
    """Yield the signals of one line; what is no event becomes one with nothing but its place."""
    if not line.strip():
        return
    body = parse_json(line)
    events = api.unfold(body) if isinstance(body, dict) else None
    if events is None:
        yield {"signal_id": f"line {number}"}
        return
    for place, event in enumerate(events, start=1):
        yield _read_event(event, api) or {"signal_id": f"line {number}, event {place}"}


def _read_event(event: Any, api: EventsApi) -> dict[str, Any] | None:
    """Return the signal of one event, or None where it is no event or is nested beyond reading."""
    try:
        row = api.read(event) if isinstance(event, dict) else None
        if row is not None and row["signal_id"] is None:
            row["signal_id"] = _fingerprint(event)
    except RecursionError:  # newer Pythons parse JSON that is nested deeper than they can walk
        return None
    return row


def parse_json(sent: bytes | str) -> Any:
    """Return what a JSON text says, or None where it is no JSON."""
    try:
        return json.loads(sent)
    except (ValueError, RecursionError):  # ValueError is also what bytes that are not UTF-8 raise
        return None


def list_events(body: Payload, key: str, shared: tuple[str, ...]) -> list[Any] | None:
    """Return the events under a key of a request body, each with what the body says of them all.

    Parameters
    ----------
    body : mapping
        The request body.
    key : str
        Where its events are: a list, one event, or either as JSON text, as in a form.
    shared : tuple of str
        Keys of the body that an event takes over where it has none of its own.
    """
    found = body.get(key)
    found = parse_json(found) if isinstance(found, str) else found
    if not isinstance(found, list | dict):
        return None
    common = {name: body[name] for name in shared if name in body}
    events = [
        parse_json(event) if isinstance(event, str) else event
        for event in (found if isinstance(found, list) else [found])
    ]
    return [common | event if isinstance(event, dict) else event for event in events]


def _fingerprint(event: Payload) -> str:
    """Return an id for an event that has none: the same event sent twice counts once."""
    content = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return "event-" + hashlib.sha256(content.encode("utf-8")).hexdigest()[:32]


def _to_frame(rows: list[dict[str, Any]], contacts: ContactDigests) -> pl.DataFrame:
    """Return rows as signals that hold no e-mail address or phone number in clear."""
    sent = {name: [row.pop(name, []) for row in rows] for name in ("email", "phone")}
    signals = pl.DataFrame(rows, schema=_COLUMNS)
    country = countries(signals["country"])
    digests = (contacts.digest(name, values, country) for name, values in sent.items())
    signals = signals.with_columns(country, *digests)
    url = pl.col("url").str.replace(_QUERY, "")
    return signals.with_columns(
        *(_replace_contacts(signals.get_column(name)) for name in _IDS),
        *(withhold_contacts(pl.col(name), digits=True) for name in _PLACES),
        withhold_contacts(pl.col("ip", "user_agent"), digits=False),
        url=withhold_contacts(url, digits=False),
    )


def _replace_contacts(ids: pl.Series) -> pl.Series:
    """Put digests for the ids that hold an e-mail address or phone number: equal ids stay equal."""
    held = ids.to_frame().select(
        withhold_contacts(pl.col(ids.name), digits=False) != pl.col(ids.name)
    )
    if not held.to_series().any():
        return ids
    pairs = zip(ids, held.to_series(), strict=True)
    digests = [digest(value) if holds else value for value, holds in pairs]
    return pl.Series(ids.name, digests, dtype=pl.String)


def _tell_apart(signals: pl.DataFrame) -> pl.DataFrame:
    """Lengthen an event id that several kinds of event, or several advertisers, have in common.

    The platforms count an event by source, name and id; a signal's id has to do alone. Repeats
    of one event keep one id, so that ingestion refuses and reports all but the first.
    """
    parts = [
        pl.when(pl.col(name).n_unique().over("signal_id") > 1)
        .then(pl.lit(":") + pl.col(name))
        .otherwise(pl.lit(""))
        .fill_null("")
        for name in ("event_name", "advertiser_id")
    ]
    return signals.with_columns(signal_id=pl.concat_str(["signal_id", *parts]))
