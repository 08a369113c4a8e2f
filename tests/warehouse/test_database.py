"""The warehouse file: opened, migrated, shared and refused."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from warehouse.config import WarehouseConfig
from warehouse.database import Warehouse, statement, statements
from warehouse.errors import ConfigError, UnknownNameError, WarehouseBusyError, WarehouseError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ads.duckdb"


def test_a_new_warehouse_has_been_through_every_migration(path: Path) -> None:
    for _ in range(2):
        with Warehouse.open(path) as warehouse:
            applied = warehouse.query("ledger/applied_migrations").item()
        assert applied == len(statements("schema"))


def test_a_failed_transaction_leaves_nothing(warehouse: Warehouse) -> None:
    def fail() -> None:
        with warehouse.transaction():
            warehouse.execute("ledger/record_setting", name="a", value="1")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert warehouse.query("ledger/setting", name="a").is_empty()
    with warehouse.transaction():
        warehouse.execute("ledger/record_setting", name="a", value="2")
    assert warehouse.query("ledger/setting", name="a").item() == "2"


def make_text(path: Path) -> None:
    path.write_text("hello")


def make_empty(path: Path) -> None:
    path.touch()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_sqlite(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (i INTEGER)")
    connection.close()


def make_other_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE t (i INTEGER)")


def make_truncated(path: Path) -> None:
    with Warehouse.open(path):
        pass
    path.write_bytes(path.read_bytes()[:20_000])


def make_newer(path: Path) -> None:
    with Warehouse.open(path) as warehouse:
        warehouse.execute("ledger/record_migration", version=999, name="999_future")


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (make_text, "not a DuckDB file"),
        (make_empty, "not a DuckDB file"),
        (make_folder, "is a folder"),
        (make_sqlite, "not a DuckDB file"),
        (make_other_duckdb, "that adscribe did not make"),
        (make_truncated, "cut short or damaged"),
        (make_newer, "newer adscribe"),
    ],
)
def test_what_is_no_warehouse_is_refused_and_left_alone(
    path: Path, make: Callable[[Path], None], complaint: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(WarehouseError, match=complaint) as caught:
        Warehouse.open(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)
    assert (path.read_bytes() if path.is_file() else b"") == before


def test_a_reader_needs_a_warehouse(path: Path) -> None:
    with pytest.raises(WarehouseError, match="no such warehouse"):
        Warehouse.open(path, read_only=True)
    with pytest.raises(WarehouseError, match="folder does not exist"):
        Warehouse.open(path / "deeper")
    assert not path.exists()


def test_a_second_writer_is_refused_and_the_first_goes_on(path: Path) -> None:
    attempt = (
        "import sys; from pathlib import Path\n"
        "from warehouse.database import Warehouse\n"
        "from warehouse.errors import WarehouseBusyError\n"
        "try: Warehouse.open(Path(sys.argv[1]))\n"
        "except WarehouseBusyError as error: print(error)\n"
    )
    with Warehouse.open(path) as warehouse:
        other = subprocess.run(
            [sys.executable, "-c", attempt, str(path)], capture_output=True, text=True, check=True
        )
        warehouse.execute("ledger/record_setting", name="a", value="1")
    assert other.stdout == (
        f"{path}: another adscribe is working on this warehouse. Wait until it has ended.\n"
    )
    assert issubclass(WarehouseBusyError, WarehouseError)


@pytest.mark.parametrize("limit", ["0GB", "1KB"])
def test_a_memory_limit_too_small_is_one_line(path: Path, limit: str) -> None:
    with pytest.raises((ConfigError, WarehouseError), match="memory_limit"):
        Warehouse.open(path, config=WarehouseConfig(memory_limit=limit))


def test_an_unknown_statement_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "match_rate"'):
        statement("reports/match_rat")


def test_joins_build_no_filters_that_duckdb_gets_wrong(warehouse: Warehouse) -> None:
    connection = warehouse._connection
    (told,) = connection.execute("SELECT current_setting('disabled_optimizers')").fetchall()[0]
    assert told == "join_filter_pushdown"
