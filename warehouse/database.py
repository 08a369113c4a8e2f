"""The one door to the DuckDB file: named statements, transactions, migrations.

Nothing else in adscribe holds a connection. A statement is a file of the folder sql/, named without
its ending (``attribution/conversions``); its values are bound as parameters.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import polars as pl
import pyarrow as pa

from warehouse.config import WarehouseConfig
from warehouse.errors import UnknownNameError, WarehouseBusyError, WarehouseError, nearest

_SQL = importlib.resources.files("sql")


@cache
def statement(name: str) -> str:
    """Return the text of one statement.

    Parameters
    ----------
    name : str
        Path below sql/ without its ending, such as ``reports/match_rate``.

    Raises
    ------
    UnknownNameError
        If there is no such file.
    """
    folder, _, file = name.rpartition("/")
    if file not in statements(folder):
        raise UnknownNameError(f'no statement "{name}": {nearest(file, statements(folder))}')
    return _SQL.joinpath(f"{name}.sql").read_text(encoding="utf-8")


@cache
def statements(folder: str) -> list[str]:
    """Return the names of the statements in one folder of sql/, sorted."""
    names = (entry.name for entry in _SQL.joinpath(folder).iterdir())
    return sorted(name.removesuffix(".sql") for name in names if name.endswith(".sql"))


class Warehouse:
    """An open warehouse file.

    Use it as a context manager, from :meth:`open`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self.path = path

    @classmethod
    def open(
        cls, path: Path, *, read_only: bool = False, config: WarehouseConfig | None = None
    ) -> Self:
        """Open the warehouse file at `path`, making and migrating it as needed.

        Parameters
        ----------
        path : Path
            The DuckDB file. Made when absent, unless `read_only`.
        read_only : bool
            Whether several processes may read at once; nothing can be written then.
        config : WarehouseConfig, optional
            Memory limit and threads; DuckDB's own defaults when omitted.

        Raises
        ------
        WarehouseBusyError
            If another process is writing to the file.
        WarehouseError
            If the file is no warehouse, is missing (`read_only`) or of a newer adscribe.
        """
        if read_only and not path.is_file():
            raise WarehouseError(
                f"{path}: no such warehouse. Make one with: adscribe run --logs DIR --db {path}"
            )
        if not path.parent.is_dir():
            raise WarehouseError(f"{path}: its folder does not exist. Make it first.")
        warehouse = cls(_connect(path, read_only=read_only), path)
        try:
            warehouse._configure(config or WarehouseConfig())
            warehouse._migrate(read_only=read_only)
        except BaseException:
            warehouse.close()
            raise
        return warehouse

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was not committed is undone."""
        self._connection.close()

    def execute(self, name: str, /, **parameters: object) -> int:
        """Run one statement and return the number of rows that it changed."""
        result = self._connection.execute(statement(name), parameters or None).fetchall()
        return int(result[0][0]) if result and result[0] else 0

    def query(self, name: str, /, **parameters: object) -> pl.DataFrame:
        """Run one statement and return its rows."""
        relation = self._connection.sql(statement(name), params=parameters or None)
        frame: pl.DataFrame = relation.pl()
        return frame

    @contextmanager
    def frame(self, name: str, frame: pl.DataFrame | pa.RecordBatchReader) -> Iterator[None]:
        """Let statements read `frame` as a table called `name`; a reader can be read once."""
        self._connection.register(name, frame)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit all that is written inside, or on an error nothing of it."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def _configure(self, config: WarehouseConfig) -> None:
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        if config.memory_limit is not None:
            self._connection.execute("SET memory_limit = $limit", {"limit": config.memory_limit})
        if config.threads is not None:
            self._connection.execute("SET threads = $threads", {"threads": config.threads})

    def _migrate(self, *, read_only: bool) -> None:
        files = statements("schema")
        applied = self._applied_migrations()
        if applied > len(files):
            raise WarehouseError(
                f"{self.path}: made by a newer adscribe (schema {applied}, this one knows "
                f"{len(files)}). Update adscribe."
            )
        if applied < len(files) and read_only:
            raise WarehouseError(
                f"{self.path}: made by an older adscribe (schema {applied} of {len(files)}). "
                "Update it with any adscribe run, match or attribute on it."
            )
        for version, file in enumerate(files[applied:], start=applied + 1):
            with self.transaction():
                self._connection.execute(statement(f"schema/{file}"))
                self.execute("ledger/record_migration", version=version, name=file)

    def _applied_migrations(self) -> int:
        known = self.query("ledger/tables").get_column("table_name").to_list()
        if "schema_migrations" not in known:
            if known:
                raise WarehouseError(
                    f"{self.path}: a DuckDB file that adscribe did not make. Name another file."
                )
            return 0
        return int(self.query("ledger/applied_migrations").item())


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseBusyError(
                f"{path}: another adscribe is working on this warehouse. Wait until it has ended."
            ) from error
        raise WarehouseError(f"{path}: {_first_line(error)}") from error
    except duckdb.Error as error:
        raise WarehouseError(
            f"{path}: cannot be opened as a warehouse: {_first_line(error)}"
        ) from (error)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
