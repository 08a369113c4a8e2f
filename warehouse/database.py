"""The one door to the DuckDB file: named statements, transactions, migrations.

Nothing else in adscribe holds a connection. A statement is a file of the folder sql/, named without
its ending (``attribution/conversions``); its values are bound as parameters.
"""

from __future__ import annotations

import importlib.resources
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import duckdb
import polars as pl
import pyarrow as pa

from warehouse.config import WarehouseConfig
from warehouse.errors import (
    ConfigError,
    UnknownNameError,
    WarehouseBusyError,
    WarehouseError,
    nearest,
)
from warehouse.files import put_in_place

_OFFLINE: Final[dict[str, bool | int | str | float | list[str]]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
REWRITE_DUE: Final = "rewrite_due"  # the setting of a warehouse whose file holds what must go
_FAILURES: Final = (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException)
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
        with self._explained():
            result = self._connection.execute(statement(name), parameters or None).fetchall()
        return int(result[0][0]) if result and result[0] else 0

    def query(self, name: str, /, **parameters: object) -> pl.DataFrame:
        """Run one statement and return its rows."""
        with self._explained():
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
            with suppress(duckdb.Error):  # DuckDB has undone it itself, as where a disk is full
                self._connection.execute("ROLLBACK")
            raise
        with self._explained():
            self._connection.execute("COMMIT")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Say in one line what keeps DuckDB from working: no space, no memory, a damaged file."""
        try:
            yield
        except duckdb.OutOfMemoryException as error:
            raise WarehouseError(
                f"{self.path}: {_first_line(error)} Nothing of this stage was kept. Give more with "
                "[warehouse] memory_limit, or free some space on the disk."
            ) from error
        except _FAILURES as error:
            raise WarehouseError(
                f"{self.path}: {_first_line(error)} Nothing of this stage was kept. See that the "
                "disk has space and can be written, and run it again."
            ) from error

    def _configure(self, config: WarehouseConfig) -> None:
        self._connection.execute("SET python_enable_replacements = false")
        self._connection.execute("SET TimeZone = 'UTC'")
        # Rows inserted in order are compressed twice, once more when the file is closed.
        self._connection.execute("SET preserve_insertion_order = false")
        # With join filters DuckDB 2.0.0 now and then writes over memory of other tables: null masks
        # changed, commits failed, processes died (one run of a test of five days in 20 to 30). They
        # also lose rows where a join spills (duckdb issue 25702) or runs in threads (22075).
        self._connection.execute("SET disabled_optimizers = 'join_filter_pushdown'")
        try:
            if config.memory_limit is not None:
                self._connection.execute(
                    "SET memory_limit = $limit", {"limit": config.memory_limit}
                )
            if config.threads is not None:
                self._connection.execute("SET threads = $threads", {"threads": config.threads})
        except duckdb.Error as error:
            raise ConfigError(
                f"[warehouse] memory_limit {config.memory_limit}, threads {config.threads}: "
                f"{_first_line(error)} Choose others."
            ) from error

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


def rewrite(path: Path, config: WarehouseConfig | None = None) -> None:
    """Put a copy without the bytes of deleted rows in the place of a warehouse that is closed.

    The copy is made in a folder beside it, for its owner only, is synced, and takes its place at
    once: a crash leaves either file, and perhaps that folder, which the next call empties.

    Raises
    ------
    WarehouseError
        If it is open elsewhere, or there is no space for a copy, or none of the same owner.
    """
    place = path.resolve()  # a link stays one
    folder = place.with_name(f"{place.name}.rewriting")
    with closing(Warehouse(duckdb.connect(config=_OFFLINE), path)) as warehouse:
        run = warehouse._connection.execute
        with _opening(path):
            run("ATTACH $path AS stored", {"path": str(place)})  # and so lock it
        try:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            run("SET temp_directory = $folder", {"folder": str(folder / "spilled")})
            warehouse._configure(config or WarehouseConfig())
            run("CHECKPOINT stored")  # its log must not outlive it
            run("ATTACH $path AS fresh", {"path": str(folder / "fresh")})
            run("COPY FROM DATABASE stored TO fresh")
            run("USE fresh")
            run(statement("privacy/delete_setting"), {"name": REWRITE_DUE})
            run("USE memory")
            run("CHECKPOINT fresh")
            run("DETACH fresh")
            put_in_place(folder / "fresh", place)
        except (OSError, duckdb.OutOfMemoryException, *_FAILURES) as error:
            reason = error.strerror if isinstance(error, OSError) else _first_line(error)
            mend = "" if isinstance(error, PermissionError) else " See that the disk has space."
            raise WarehouseError(f"{path}: cannot be rewritten ({reason}).{mend}") from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    if path.is_dir():
        raise WarehouseError(f"{path}: is a folder. Name a file.")
    with _opening(path):
        return duckdb.connect(str(path), read_only=read_only, config=_OFFLINE)


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    """Say in one line why a file cannot be opened."""
    try:
        yield
    except duckdb.Error as error:
        message = _first_line(error)
        lowered = message.lower()
        if "lock" in lowered and "block" not in lowered:
            raise WarehouseBusyError(
                f"{path}: another adscribe is working on this warehouse. Wait until it has ended."
            ) from error
        if "not a valid duckdb" in lowered or "extension" in lowered:
            raise WarehouseError(
                f"{path}: not a DuckDB file. Name another file; adscribe makes it."
            ) from error
        if any(word in lowered for word in ("enough bytes", "checksum", "corrupt", "serializ")):
            raise WarehouseError(
                f"{path}: cut short or damaged. Restore a copy, or run into a new file. ({message})"
            ) from error
        raise WarehouseError(
            f"{path}: cannot be opened: {message} See that the file and its folder can be written."
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
