"""The daily run over the logs of worlds, from files on."""

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import polars as pl

from attribution import attribute_day
from matching import match_day
from tests.stages.candidates import add_candidates
from tests.stages.settings import KEY
from tests.stages.worlds import Day, Logs
from warehouse.database import Warehouse
from warehouse.ingest import ingest_logs
from warehouse.logs import LogFolder
from warehouse.runs import Run
from warehouse.schemas import TABLES

_LOGS: Final = ("activity", "touchpoints", "signals")
_QUIET_HOUR: Final = 6  # the worlds live at midnight and noon


def ingest(run: Run, logs: Logs, *, undated: bool = False, hourly: bool = False) -> None:
    """Write the logs of some days as files and read them by the ingest stage itself.

    Each day has a folder of its own, or `undated` all have one file together, which is faster.
    `hourly` a day's folder has one for each hour that has rows, and one without any.
    """
    with TemporaryDirectory() as name:
        root = Path(name)
        if undated:
            _write(root, [content for _, content in sorted(logs.items())])
        for day, content in {} if undated else logs.items():
            folder = root / f"date={day}"
            if hourly:
                for hour in sorted({*_hours(content), _QUIET_HOUR}):
                    _write(folder / f"hour={hour:02d}", [_of_hour(content, hour)])
            else:
                _write(folder, [content])
        ingest_logs(run, LogFolder.find(root), sorted(logs), KEY)


def _hours(content: Day) -> set[int]:
    return {row["event_time"].hour for table in _LOGS for row in getattr(content, table)}


def _of_hour(content: Day, hour: int) -> Day:
    return Day(
        *(
            [row for row in getattr(content, table) if row["event_time"].hour == hour]
            for table in _LOGS
        )
    )


def _write(folder: Path, days: list[Day]) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    for table in _LOGS:
        rows = [row for content in days for row in getattr(content, table)]
        # a log without rows has its file all the same: without one its day is refused
        frame = pl.DataFrame(rows, schema=TABLES[table].columns)
        frame.write_parquet(folder / f"{table}.parquet")


def match(run: Run, day: date) -> None:
    """Do the stage of matching, and find candidates as a model would."""
    match_day(run, day)
    add_candidates(run)


def process(run: Run, day: date, logs: Day) -> None:
    """Do all stages of one day."""
    ingest(run, {day: logs})
    match(run, day)
    attribute_day(run, day)


def hashes(warehouse: Warehouse) -> dict[str, str]:
    """Return a hash of the rows of each table."""
    rows = warehouse.query("reports/table_hashes")
    return dict(rows.select("table_name", "row_hash").iter_rows())
