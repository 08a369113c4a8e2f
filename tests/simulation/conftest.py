"""One small world, simulated once for all tests that only read it."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from simulation import simulate

USERS, DAYS, SEED = 20_000, 7, 11


@dataclass(frozen=True)
class Logs:
    """A world's folder, read back."""

    folder: Path
    counts: dict[str, int]

    def read(self, table: str) -> pl.DataFrame:
        """Return all days of a log table, with the log day of each row under "log_date"."""
        days = [
            pl.read_parquet(path, hive_partitioning=False).with_columns(
                pl.lit(path.parent.name.removeprefix("date=")).str.to_date().alias("log_date")
            )
            for path in sorted(self.folder.glob(f"date=*/{table}.parquet"))
        ]
        return pl.concat(days)

    def truth(self, name: str) -> pl.DataFrame:
        """Return one of the truth files."""
        return pl.read_parquet(self.folder / f"truth_{name}.parquet")


@pytest.fixture(scope="session")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Logs:
    folder = tmp_path_factory.mktemp("world") / "logs"
    return Logs(folder, simulate(folder, users=USERS, days=DAYS, seed=SEED))
