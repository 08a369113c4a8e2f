"""Which files of a log folder hold which table and day."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from warehouse.errors import InputFileError
from warehouse.privacy import name_holds_email, without_contacts
from warehouse.schemas import TABLES

ENDINGS: Final = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json")
COMPRESSIONS: Final = ("", ".gz", ".zst")
_DATED = re.compile(r"date=(.*)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class LogFile:
    """One file of a log folder.

    Attributes
    ----------
    path : Path
        Where it lies.
    name : str
        Its path below the log folder, with forward slashes: the same on every machine.
    table : str
        The log that it holds rows of.
    day : date or None
        The day of its ``date=`` folder; None where the rows date themselves.
    """

    path: Path
    name: str
    table: str
    day: date | None


@dataclass(frozen=True)
class LogFolder:
    """A folder of logs: for each table one file, several, or a ``date=YYYY-MM-DD/`` tree."""

    root: Path
    files: tuple[LogFile, ...]

    @classmethod
    def find(cls, root: Path) -> "LogFolder":
        """List the log files below `root`.

        Raises
        ------
        InputFileError
            If there is no such folder, no log file in it, a ``date=`` folder without a date, or a
            table in both layouts.
        """
        if not root.is_dir():
            raise InputFileError(f"{root}: no such folder. Name the folder that holds the logs.")
        files = tuple(_log_files(root))
        if not files:
            endings = " ".join(ENDINGS)
            raise InputFileError(
                f"{root}: no logs found. Expected files that begin with "
                f"{', '.join(TABLES)} and end in one of {endings} (plain, .gz, .zst)."
            )
        for table in TABLES:
            days = [file.day is None for file in files if file.table == table]
            if any(days) and not all(days):
                raise InputFileError(
                    f"{root}: {table} lies in date= folders and beside them. Keep one of the two."
                )
        return cls(root, files)

    def dated(self, day: date) -> list[LogFile]:
        """Return the files in the ``date=`` folders of one day."""
        return [file for file in self.files if file.day == day]

    def undated(self) -> list[LogFile]:
        """Return the files whose rows date themselves."""
        return [file for file in self.files if file.day is None]

    def folder_days(self) -> set[date]:
        """Return the days that have a ``date=`` folder."""
        return {file.day for file in self.files if file.day is not None}


def _log_files(root: Path) -> Iterator[LogFile]:
    for path in sorted(root.rglob("*")):
        relative = path.relative_to(root)
        if not path.is_file() or any(part.startswith((".", "_")) for part in relative.parts):
            continue
        table = next((table for part in relative.parts if (table := _table_of(part))), None)
        if table is None:
            continue
        _require_anonymous(relative)
        if not _is_readable_format(path.name):
            raise InputFileError(
                f"{relative.as_posix()}: not a format that can be read. "
                f"Export it as {', '.join(ENDINGS[:3])} or .jsonl (text also as .gz or .zst)."
            )
        yield LogFile(path, relative.as_posix(), table, _day_of(relative))


def _require_anonymous(relative: Path) -> None:
    """Refuse a path that holds an e-mail address: it is kept with every row and shown in errors."""
    if name_holds_email(relative.as_posix()):
        shown = without_contacts(relative.as_posix())
        raise InputFileError(f"{shown}: holds an e-mail address in its name. Rename it.")


def _table_of(part: str) -> str | None:
    return next((table for table in TABLES if part.startswith(table)), None)


def _is_readable_format(name: str) -> bool:
    text = tuple(ending + packed for ending in ENDINGS[1:] for packed in COMPRESSIONS)
    return name.endswith((ENDINGS[0], *text))


def _day_of(relative: Path) -> date | None:
    names = [match[1] for part in relative.parts[:-1] if (match := _DATED.fullmatch(part))]
    if not names:
        return None
    if len(names) > 1:
        raise InputFileError(
            f"{relative.as_posix()}: lies in two date= folders. Keep one of the two."
        )
    try:
        # fromisoformat takes 20260105 and 2026-W02-1 as well: other folders of the same day
        return date.fromisoformat(names[0] if _DAY.fullmatch(names[0]) else "")
    except ValueError as error:
        raise InputFileError(
            f"{relative.as_posix()}: {names[0]} is not a date. Name the folder date=YYYY-MM-DD."
        ) from error


def unknown_day(days: set[date], day: date) -> InputFileError:
    """Return the error for a day that the logs do not hold."""
    if not days:
        return InputFileError(
            "no log day found: there are no rows with a valid time. Ingest logs first, or export "
            "their times as ISO 8601 UTC."
        )
    return InputFileError(
        f"{day}: not in the logs, which hold {min(days)} to {max(days)}. Name one of their days."
    )
