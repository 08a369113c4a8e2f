"""The ledger of what ran: every stage of every run, with rows, seconds and peak memory."""

import importlib.metadata
import logging
import resource
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache

from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import AdscribeError, WarehouseError

_log = logging.getLogger("adscribe")


@cache
def version() -> str:
    """Return the version of adscribe that is running."""
    try:
        return importlib.metadata.version("adscribe")
    except importlib.metadata.PackageNotFoundError:
        return "uninstalled"


@dataclass
class StageCounts:
    """What a stage read, wrote and refused; filled in by the stage itself."""

    rows_in: int = 0
    rows_out: int = 0
    rows_rejected: int = 0
    message: str | None = None


class Run:
    """One run of one command, writing each of its stages to the ledger.

    Parameters
    ----------
    warehouse : Warehouse
        Where the ledger is.
    command : str
        The command as people type it, such as ``run``.
    config : Config
        The configuration, kept with every stage.
    """

    def __init__(self, warehouse: Warehouse, command: str, config: Config) -> None:
        self.warehouse = warehouse
        self.config = config
        self.command = command
        started = datetime.now(UTC)
        self.run_id = f"{started:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        warehouse.execute("ledger/mark_interrupted")

    @contextmanager
    def stage(self, name: str, day: date | None) -> Iterator[StageCounts]:
        """Do a stage in one transaction, which also holds its line in the ledger.

        Whatever ends the stage early undoes all of it; the ledger then says so.
        """
        started, clock = _now(), time.monotonic()
        self.warehouse.execute(
            "ledger/start_stage",
            run_id=self.run_id,
            command=self.command,
            stage=name,
            day=day,
            started_at=started,
            adscribe_version=version(),
            config_json=self.config.model_dump_json(),
        )
        counts = StageCounts()
        try:
            with self.warehouse.transaction():
                yield counts
                seconds = time.monotonic() - clock
                self._finish(name, day, "done", seconds, counts)
        except BaseException as error:
            counts.message = (
                str(error) if isinstance(error, AdscribeError) else type(error).__name__
            )
            with suppress(WarehouseError):  # the next run then marks it interrupted
                self._finish(name, day, "failed", time.monotonic() - clock, counts)
            raise
        _log.info(
            "%s %s: %d rows in, %d out, %d rejected, %.1f s",
            name, day or "all days", counts.rows_in, counts.rows_out, counts.rows_rejected, seconds,
        )  # fmt: skip

    def _finish(
        self, name: str, day: date | None, status: str, seconds: float, counts: StageCounts
    ) -> None:
        self.warehouse.execute(
            "ledger/finish_stage",
            run_id=self.run_id,
            stage=name,
            day=day,
            status=status,
            finished_at=_now(),
            seconds=round(seconds, 3),
            rows_in=counts.rows_in,
            rows_out=counts.rows_out,
            rows_rejected=counts.rows_rejected,
            peak_memory_bytes=_peak_memory_bytes(),
            message=counts.message,
        )


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _peak_memory_bytes() -> int:
    """Return the most memory that this process has held (getrusage counts KiB, on macOS bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
