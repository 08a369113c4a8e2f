"""Writing a log folder: one folder a day with its logs, and the truth, if known, beside them."""

import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.errors import InputFileError
from warehouse.schemas import EARLIEST, LATEST, TABLES

LOGS: Final = ("activity", "touchpoints", "signals")

_TRUTH_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "signal_id": pl.String(),
    "user_id": pl.String(),
    "caused_by": pl.String(),
    "value": pl.Float64(),
}


def require_absent_or_empty(out: Path) -> None:
    """Refuse to write where something already is; importers ask before they read for long.

    Parameters
    ----------
    out : Path
        The log folder to be written.

    Raises
    ------
    InputFileError
        If `out` is a file or a folder that holds anything, or its name is not UTF-8.
    """
    if not _is_utf8(out):
        raise InputFileError(f"{out}: the name is not UTF-8. Give a folder whose name is.")
    try:
        free = not any(out.iterdir())
    except FileNotFoundError:
        return
    except NotADirectoryError as error:
        raise InputFileError(
            f"{out}: is a file, not a folder. Give a folder that is absent or empty."
        ) from error
    except OSError as error:
        raise InputFileError(
            f"{out}: cannot be opened: {error.strerror}. Give a folder that you may write."
        ) from error
    if not free:
        raise InputFileError(
            f"{out}: the folder is not empty. Give one that is absent or empty, or empty it first."
        )


def _is_utf8(path: Path) -> bool:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def write_log_folder(
    out: Path,
    logs: Mapping[str, pl.DataFrame],
    truth_match: pl.DataFrame | None,
    *,
    undated: date,
) -> dict[str, int]:
    """Write the logs as ``date=YYYY-MM-DD/`` folders and the truth beside them, all or nothing.

    Everything is written to a hidden folder next to `out`, which then takes its name in one step:
    whoever looks at `out` sees nothing or all of it. The same frames give the same bytes.

    Parameters
    ----------
    out : Path
        The log folder, absent or empty.
    logs : mapping of str to DataFrame
        The rows of activity, touchpoints and signals, or of some of them. Columns of the log that
        a frame lacks are written as null; rows of one time keep the frame's order.
    truth_match : DataFrame or None
        signal_id and user_id; caused_by and value where they are known. None where nothing is.
    undated : date
        The day whose folder takes the rows without an event_time between 2000 and 2099.

    Returns
    -------
    dict of str to int
        Rows written for each table given, in the order activity, touchpoints, signals, truth_match.

    Raises
    ------
    InputFileError
        If `out` holds anything or cannot be written.
    """
    require_absent_or_empty(out)
    target = out.resolve()
    truth = None if truth_match is None else _complete(truth_match, _TRUTH_COLUMNS)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as scratch:
            # A folder of our own inside: the temporary one is closed to all but its owner.
            folder = Path(scratch) / "logs"
            folder.mkdir()
            _write_days(folder, logs, undated)
            if truth is not None:
                _write_parquet(truth, folder / "truth_match.parquet")
            folder.rename(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputFileError(
            f"{out}: cannot be written: {reason}. Free some space or give another folder."
        ) from error
    rows = {name: logs[name].height for name in LOGS if name in logs}
    return rows if truth is None else {**rows, "truth_match": truth.height}


def _write_days(folder: Path, logs: Mapping[str, pl.DataFrame], undated: date) -> None:
    by_day = {name: _split_by_day(logs[name], undated) for name in LOGS if name in logs}
    for day in sorted({day for frames in by_day.values() for day in frames}):
        day_folder = folder / f"date={day.isoformat()}"
        day_folder.mkdir()
        for name, frames in by_day.items():
            rows = frames.get(day, logs[name].clear())
            path = day_folder / f"{name}.parquet"
            _write_parquet(_complete(rows, TABLES[name].columns), path)


def _split_by_day(rows: pl.DataFrame, undated: date) -> dict[date, pl.DataFrame]:
    time = pl.col("event_time")
    plausible = (time >= EARLIEST) & (time < LATEST)
    dated = rows.with_columns(_day=pl.when(plausible).then(time.dt.date()).otherwise(undated))
    days = dated.sort("event_time", nulls_last=True, maintain_order=True).partition_by(
        "_day", as_dict=True, include_key=False, maintain_order=True
    )
    return {day: frame for (day,), frame in days.items()}


def _complete(rows: pl.DataFrame, columns: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the rows with exactly these columns: those that are missing are null."""
    absent = [name for name in columns if name not in rows.columns]
    return rows.with_columns(pl.lit(None).alias(name) for name in absent).select(
        pl.col(name).cast(dtype) for name, dtype in columns.items()
    )


def _write_parquet(rows: pl.DataFrame, path: Path) -> None:
    # Row groups of a fixed size, so that the bytes do not depend on how polars chunked the rows.
    rows.rechunk().write_parquet(path, compression="zstd", row_group_size=262_144)
