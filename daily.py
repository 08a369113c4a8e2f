"""The daily run: which stages follow which, for a range of log days."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from attribution import attribute_day
from attribution.eligibility import resolve
from attribution.money import read_rates
from matching import match_day
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import ConfigError, WarehouseError
from warehouse.ingest import days_in, ingest_day, ingest_undated
from warehouse.keys import IdentifierKey, open_key
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
def open_run(
    db: Path, command: str, config: Config, *, new: bool = True
) -> Iterator[tuple[Run, IdentifierKey]]:
    """Open a warehouse for writing, under its key, and begin a run.

    Parameters
    ----------
    db : Path
        The warehouse.
    command : str
        The command, for the ledger.
    config : Config
        The configuration of the run.
    new : bool
        Whether the warehouse may be made.

    Raises
    ------
    WarehouseError, ConfigError
        If the warehouse or its key cannot be used.
    """
    resolve(config.attribution)  # a preset or rate that does not exist fails before logs are read
    read_rates(config.attribution.money)
    if not new and not db.exists():
        raise WarehouseError(f"{db}: no such warehouse. Make one with: adscribe ingest --db {db}")
    if not db.exists() and db.parent.is_dir():  # a key that cannot be used makes no warehouse
        IdentifierKey.load(db, config.privacy, make=True)
    with Warehouse.open(db, config=config.warehouse) as warehouse:
        key = open_key(warehouse, config.privacy)
        yield Run(warehouse, command, config), key


def days_of_logs(logs: LogFolder, days: DayRange, config: Config) -> list[date]:
    """Return the wanted log days that a folder holds, in order.

    Raises
    ------
    InputFileError
        If it holds none of them, or a file cannot be read.
    """
    asked = days.every()
    if asked is not None and not logs.folder_days():
        return asked  # files that hold many days need not be read twice
    return days.of(days_in(logs, config))


def stored_days(warehouse: Warehouse, days: DayRange) -> list[date]:
    """Return the wanted log days that have been ingested, in order.

    Raises
    ------
    InputFileError
        If none of them has.
    """
    return days.of(warehouse.query("ledger/stored_days").get_column("day").to_list())


def run_days(
    run: Run,
    key: IdentifierKey,
    days: list[date],
    *,
    logs: LogFolder | None = None,
    stages: tuple[Stage, ...] = tuple(Stage),
    progress: Callable[[date | None, Stage, int, int], None] | None = None,
) -> None:
    """Do the stages for each log day, the earliest first.

    Parameters
    ----------
    run, key
        From :func:`open_run`.
    days : list of date
        The log days, in order.
    logs : LogFolder, optional
        Where the logs are; needed to ingest.
    stages : tuple of Stage
        What to do with each day.
    progress : callable, optional
        Told the day (None: files that hold many days), the stage that begins, how many stages are
        done and how many there will be.
    """
    tell = progress or _stay_silent
    total, done = len(days) * len(stages), 0
    if logs is not None and Stage.INGEST in stages:
        tell(None, Stage.INGEST, 0, total)
        ingest_undated(run, logs, days, key)
    for day in days:
        for stage in stages:
            tell(day, stage, done, total)
            if stage is Stage.MATCH:
                match_day(run, day)
            elif stage is Stage.ATTRIBUTE:
                attribute_day(run, day)
            elif logs is not None:
                ingest_day(run, logs, day, key)
            done += 1


def _stay_silent(day: date | None, stage: Stage, done: int, total: int) -> None:
    """Take the place of a progress bar."""
