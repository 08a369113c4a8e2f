"""The daily run: which stages follow which, for a range of log days."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from attribution import attribute_day
from matching import match_day
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.identifiers import IdentifierKey, bind_key
from warehouse.ingest import days_in, ingest_day, ingest_undated
from warehouse.logs import LogFolder, unknown_day
from warehouse.runs import Run


class Stage(StrEnum):
    """A part of the daily run."""

    INGEST = "ingest"
    MATCH = "match"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True)
class DayRange:
    """The log days wanted; all where both ends are open.

    Attributes
    ----------
    first, last : date or None
        Both included; None is as far as the logs go.
    """

    first: date | None = None
    last: date | None = None

    def __post_init__(self) -> None:
        if self.first is not None and self.last is not None and self.first > self.last:
            raise ConfigError(f"the first day {self.first} lies after the last, {self.last}.")

    def of(self, days: list[date]) -> list[date]:
        """Return those of `days` that are wanted.

        Raises
        ------
        InputFileError
            If none is.
        """
        chosen = [
            day
            for day in days
            if (self.first is None or day >= self.first) and (self.last is None or day <= self.last)
        ]
        if not chosen:
            raise unknown_day(set(days), self.first or self.last or date.min)
        return chosen

    def every(self) -> list[date] | None:
        """Return every day of a range closed at both ends, else None."""
        if self.first is None or self.last is None:
            return None
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


@contextmanager
def open_run(db: Path, command: str, config: Config) -> Iterator[tuple[Run, IdentifierKey]]:
    """Open a warehouse for writing, under its key, and begin a run.

    Raises
    ------
    WarehouseError, ConfigError
        If the warehouse or its key cannot be used.
    """
    key = IdentifierKey.load(db, config.privacy)
    with Warehouse.open(db, config=config.warehouse) as warehouse:
        bind_key(warehouse, key)
        yield Run(warehouse, command, config), key


def run_days(
    run: Run,
    key: IdentifierKey,
    *,
    logs: LogFolder | None,
    days: DayRange,
    stages: tuple[Stage, ...] = tuple(Stage),
    progress: Callable[[date | None, Stage, int, int], None] = lambda *_: None,
) -> list[date]:
    """Do the stages for each log day, the earliest first.

    Parameters
    ----------
    run, key
        From :func:`open_run`.
    logs : LogFolder or None
        Where the logs are; needed to ingest. Without it the days are those already stored.
    days : DayRange
        The log days wanted.
    stages : tuple of Stage
        What to do with each.
    progress : callable
        Told the day (None: files that hold many days), the stage that begins, how many stages are
        done and how many there will be.

    Returns
    -------
    list of date
        The days done.
    """
    chosen = days.of(_days(run, logs, days))
    total, done = len(chosen) * len(stages), 0
    if logs is not None and Stage.INGEST in stages:
        progress(None, Stage.INGEST, 0, total)
        ingest_undated(run, logs, chosen, key)
    for day in chosen:
        for stage in stages:
            progress(day, stage, done, total)
            if stage is Stage.MATCH:
                match_day(run, day)
            elif stage is Stage.ATTRIBUTE:
                attribute_day(run, day)
            elif logs is not None:
                ingest_day(run, logs, day, key)
            done += 1
    return chosen


def _days(run: Run, logs: LogFolder | None, days: DayRange) -> list[date]:
    if logs is None:
        return run.warehouse.query("ledger/stored_days").get_column("day").to_list()
    asked = days.every()
    if asked is not None and not logs.folder_days():
        return asked  # files that hold many days need not be read twice
    return days_in(logs, run.config)
