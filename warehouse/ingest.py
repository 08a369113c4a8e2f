"""Log files → the tables activity, touchpoints, signals, costs and rejected_rows.

What is read replaces what was stored for the same days, in one transaction, whole. Files in a
``date=`` folder belong to that day; a file that holds many days is read once for all of them.
"""

import logging
from collections.abc import Collection, Iterable
from datetime import date
from typing import Final

from warehouse.config import Config
from warehouse.conform import days_of
from warehouse.database import Warehouse
from warehouse.errors import InputFileError
from warehouse.keys import IdentifierKey
from warehouse.logs import LogFile, LogFolder
from warehouse.readers import read
from warehouse.runs import Run, StageCounts
from warehouse.schemas import TABLES
from warehouse.streams import LogStream

_log = logging.getLogger("adscribe")
_LINKED: Final = ("activity", "touchpoints")


def days_in(logs: LogFolder, config: Config) -> list[date]:
    """Return every day that the logs hold, in order.

    Files outside ``date=`` folders are read for the times in them.

    Raises
    ------
    InputFileError
        If a file cannot be read, or if there is no row with a valid time in any.
    """
    days = logs.folder_days()
    for file in logs.undated():
        table, mapping = TABLES[file.table], config.columns.get(file.table, {})
        wanted = [mapping.get(name, name) for name in table.dated_by]
        for batch in read(file, wanted, required=wanted[-1:]):
            days |= days_of(batch.rows, table=table, file=file, mapping=mapping)
    if not days:
        raise InputFileError(
            f"{logs.root}: no row of the logs has a valid time. Export times as ISO 8601 UTC, or "
            "put the files into date=YYYY-MM-DD folders."
        )
    return sorted(days)


def ingest_logs(run: Run, logs: LogFolder, days: list[date], key: IdentifierKey) -> None:
    """Read the logs of some days into the warehouse.

    Parameters
    ----------
    run : Run
        The run whose warehouse, configuration and ledger are used. Each day of ``date=`` folders is
        a stage of its own; the files that hold many days are one stage together, before them.
    logs : LogFolder
        Where the logs lie.
    days : list of date
        The days wanted, in order.
    key : IdentifierKey
        The key of the identifier digests.

    Raises
    ------
    InputFileError
        If a file cannot be read at all; the stage that it belongs to is undone.
    """
    ingest_undated(run, logs, days, key)
    for day in days:
        ingest_day(run, logs, day, key)


def ingest_undated(run: Run, logs: LogFolder, days: list[date], key: IdentifierKey) -> None:
    """Read the files that hold many days, once for all `days`; nothing where there are none."""
    files = logs.undated()
    if files:
        with run.stage("ingest", None) as counts:
            _replace(run, files, days, key, counts)


def ingest_day(run: Run, logs: LogFolder, day: date, key: IdentifierKey) -> None:
    """Read the ``date=`` folders of one day; nothing where no log has such folders."""
    tables = {file.table for file in logs.files if file.day is not None}
    if tables:
        with run.stage("ingest", day) as counts:
            _replace(run, logs.dated(day), [day], key, counts, tables=tables)


def _replace(
    run: Run,
    files: list[LogFile],
    days: list[date],
    key: IdentifierKey,
    counts: StageCounts,
    *,
    tables: Iterable[str] = (),
) -> None:
    """Replace the rows of `days` in the tables of `files` and `tables`."""
    warehouse = run.warehouse
    warehouse.execute("ingest/macros")
    for name in sorted({file.table for file in files} | set(tables)):
        mine = [file for file in files if file.table == name]
        _make_room(warehouse, name, mine, days)
        if name == "signals":
            warehouse.execute("ingest/staged_identifiers")
        for file in mine:
            stream = LogStream(file, TABLES[name], days, run.config)
            _store(warehouse, stream, key=key, counts=counts)
        if TABLES[name].key:
            _refuse_repeats(warehouse, name, days, counts)
        if name == "signals":
            warehouse.execute("ingest/insert_signal_identifiers")
            notes = (_signals_gone(warehouse), _days_to_read_again(warehouse, days))
            counts.message = "; ".join(note for note in notes if note) or None
            if counts.message:
                _log.warning("%s", counts.message)
        if name in _LINKED:
            warehouse.execute("ingest/insert_unlinked_days", source=name, days=days)
    _forget_old_addresses(warehouse, run.config)


def _make_room(
    warehouse: Warehouse, table: str, files: list[LogFile], days: Collection[date]
) -> None:
    """Delete what was stored of `days` before; `files` are what is read in its place."""
    if table in _LINKED:
        warehouse.execute("ingest/insert_replaced_identifiers", source=table, days=days)
    if table == "signals":
        warehouse.execute("ingest/former_signals", days=days)
    removed = warehouse.execute(f"ingest/delete_{table}", days=days)
    if removed and not files:
        raise InputFileError(
            f"date={min(days)}: no {table} file, but {removed:,} rows of that day are stored. Put "
            "the file there, with its header alone if the day had no rows."
        )
    if table == "signals":
        warehouse.execute("ingest/delete_signal_identifiers", days=days)
    undated = any(file.day is None for file in files)
    warehouse.execute("ingest/delete_rejected_rows", table_name=table, undated=undated, days=days)
    warehouse.execute("ingest/delete_refused_identifiers", table_name=table, days=days)


def _forget_old_addresses(warehouse: Warehouse, config: Config) -> None:
    """Blank network addresses that are in clear and older than the configuration lets them be."""
    keep = config.privacy.keep_addresses_days or 0
    for table in ("activity", "signals"):
        warehouse.execute(f"ingest/forget_addresses_of_{table}", keep_days=keep)


def _refuse_repeats(
    warehouse: Warehouse, table: str, days: list[date], counts: StageCounts
) -> None:
    """Take the rows that repeat a key out of a table, into rejected_rows."""
    warehouse.execute(f"ingest/repeated_{table}", first_day=days[0], last_day=days[-1])
    repeats = warehouse.execute(f"ingest/reject_repeated_{table}")
    if not repeats:
        return
    if table == "signals":  # the others are of days that were read before and keep their counts
        repeats = int(warehouse.query("ingest/count_repeated_signals", days=days).item())
    if table == "signals":
        warehouse.execute("ingest/delete_repeated_identifiers")
    warehouse.execute(f"ingest/delete_repeated_{table}")
    counts.rows_out -= repeats
    counts.rows_rejected += repeats


def _signals_gone(warehouse: Warehouse) -> str | None:
    """Tell how many signals of the days are stored no more: a day is replaced whole."""
    gone = int(warehouse.query("ingest/count_gone_signals").item())
    if not gone:
        return None
    return (
        f"{gone:,} signals of these days that were stored before are not in the logs read now, and "
        "were removed; all logs of a day belong in one folder"
    )


def _days_to_read_again(warehouse: Warehouse, read: list[date]) -> str | None:
    """Tell which later days refused a signal as a repeat that now stands nowhere, if any."""
    days = warehouse.query("ingest/days_to_read_again", days=read).get_column("day")
    if days.is_empty():
        return None
    return (
        "signals refused on later days as repeats repeat none any more; "
        f"ingest these days again: {', '.join(map(str, days))}"
    )


def _store(
    warehouse: Warehouse, stream: LogStream, *, key: IdentifierKey, counts: StageCounts
) -> None:
    """Insert a file's good rows into its table, their identifiers and the bad rows into theirs."""
    name, file = stream.table.name, stream.file.name
    parameters: dict[str, object] = {} if name == "costs" else dict(key.pads)
    if stream.table.key:
        parameters["file"] = file
    while not stream.ended:
        with warehouse.frame("batch", stream.reader()):
            warehouse.execute(f"ingest/insert_{name}", **parameters)
        if stream.error is not None:
            raise stream.error
        for part in stream.identified:
            if len(part.identifiers):
                with warehouse.frame("batch", part.identifiers):
                    warehouse.execute("ingest/stage_identifiers", file=file, **key.pads)
            if len(part.refused):
                with warehouse.frame("batch", part.refused):
                    warehouse.execute("ingest/insert_refused_identifiers", table_name=name)
        for bad in stream.bad:
            with warehouse.frame("batch", bad):
                warehouse.execute("ingest/insert_rejected_rows", table_name=name, file=file)
            counts.rows_in += len(bad)
            counts.rows_rejected += len(bad)
        stream.identified.clear()
        stream.bad.clear()
    counts.rows_in += stream.rows
    counts.rows_out += stream.rows
