"""One log file → batches for its table, and beside them its bad rows and identifiers."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Final

import polars as pl
import pyarrow as pa

from warehouse.config import Config, PrivacyConfig
from warehouse.conform import Conformed, conform, refuse_lines
from warehouse.data_centres import read_data_centres
from warehouse.identifiers import Identified, identify
from warehouse.logs import LogFile
from warehouse.readers import read
from warehouse.schemas import TABLES, LogTable

_PAUSE_AT_ROWS: Final = 500_000


class LogStream:
    """The good rows of one file as Arrow batches; what goes to other tables collected on the way.

    DuckDB pulls the batches while it stores them, so that reading, validating and compressing
    overlap. It cannot store the bad rows and the identifiers meanwhile: the stream pauses when
    there are many.
    """

    def __init__(
        self, file: LogFile, table: LogTable, days: Collection[date], config: Config
    ) -> None:
        self.file = file
        self.table = table
        self.bad: list[pl.DataFrame] = []
        self.identified: list[Identified] = []
        self.error: BaseException | None = None
        self.ended = False
        self.rows = 0
        self._days = days
        self._privacy = config.privacy
        self._data_centres = read_data_centres(config.attribution.traffic.data_centres)
        self._batches = _conformed(file, table, config)

    def reader(self) -> pa.RecordBatchReader:
        """Return the rows up to the next pause."""
        schema = _stored_schema(self.table.name, self._privacy)
        return pa.RecordBatchReader.from_batches(schema, self._pull())

    def _pull(self) -> Iterator[pa.RecordBatch]:
        try:
            while self._collected() < _PAUSE_AT_ROWS:
                batch = next(self._batches, None)
                if batch is None:
                    self.ended = True
                    return
                good, bad = self._of_my_days(batch)
                if len(bad):
                    self.bad.append(bad)
                self.rows += len(good)
                found = self._identify(good)
                self.identified.append(replace(found, rows=good.clear()))
                yield from _arrow(found.rows).to_batches()
        except BaseException as error:  # noqa: BLE001 -- DuckDB would turn it into text
            self.error = error

    def _of_my_days(self, batch: Conformed) -> tuple[pl.DataFrame, pl.DataFrame]:
        if self.file.day is not None:
            return batch.good, batch.bad
        # A row that could not be dated belongs to no day: it is kept whichever day is read.
        mine = pl.col("log_day").is_in(self._days)
        return batch.good.filter(mine), batch.bad.filter(mine | pl.col("log_day").is_null())

    def _identify(self, rows: pl.DataFrame) -> Identified:
        return identify(rows, self.table.name, self._privacy, data_centres=self._data_centres)

    def _collected(self) -> int:
        return sum(map(len, self.bad)) + sum(len(part.identifiers) for part in self.identified)


@cache
def _stored_schema(table: str, privacy: PrivacyConfig) -> pa.Schema:
    """Return the columns and types of what the insert statement of a log reads."""
    return _arrow(identify(_no_rows(TABLES[table]), table, privacy).rows).schema


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())


def _conformed(file: LogFile, table: LogTable, config: Config) -> Iterator[Conformed]:
    mapping = config.columns.get(table.name, {})
    wanted = [mapping.get(name, name) for name in table.columns]
    required = dict.fromkeys([mapping.get(name, name) for name in table.required])
    required |= dict.fromkeys(mapping.values())  # named on purpose: a slip of the pen, if missing
    for batch in read(file, wanted, required):
        if len(batch.rows):
            yield conform(batch.rows, table=table, file=file, mapping=mapping)
        if len(batch.refused):
            yield Conformed(_no_rows(table), refuse_lines(batch.refused, file=file))


def _no_rows(table: LogTable) -> pl.DataFrame:
    return pl.DataFrame(schema={"log_day": pl.Date, "source_row": pl.Int64, **table.columns})
