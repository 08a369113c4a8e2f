"""Statements on small tables: cases/<folder>/<file>/<case>/ holds what goes in and what comes out.

One CSV for each input table (a table without one is empty), params.json for the parameters that
differ from those of flow.py, and expected.csv with the result, or with the table that the statement
makes or writes to. An empty cell is null; a column left out is null, or a default where it may not
be. An identifier's digest is written as a number, a time in microseconds as a timestamp, a length
of time as "48 h", a list as [a, b], and a text without a character as ''.
"""

import csv
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from uuid import UUID

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from sqlglot import exp

from tests.sql_cases.bindings import FRAMES, PARAMETERS
from tests.sql_cases.flow import (
    FLOW,
    connection,
    empty_frames,
    header,
    parsed,
    run_on_empty,
)
from warehouse.database import Warehouse, statement, statements

CASES = Path(__file__).parent / "cases"
DEFAULTS = {
    "day": "2026-03-10",
    "event_time": "2026-03-10 12:00:00",
    "started_at": "2026-03-10 12:00:00",
    "advertiser_id": "a1",
    "campaign_id": "c1",
    "event_name": "purchase",
    "user_id": "u1",
    "kind": "click",
    "method": "email",
    "match_probability": "1",
    "rank": "1",
    "model": "last_touch",
    "outcome": "touch",
    "status": "active",
    "role": "first",
    "credit_micros": "1000000",
    "value_micros": "0",
    "source": "activity",
    "scope": "''",
    "observations": "1",
    "ttl_days": "90",
    "most_users": "4",
    "most_identifiers": "10",
    "is_unique": "false",
}  # of columns that may not be null, by name and else by type
BY_TYPE = {"VARCHAR": "-", "DATE": "2026-03-10", "TIMESTAMP": "2026-03-10 12:00:00"}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
DIGEST = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MICROSECOND = timedelta(microseconds=1)


def case_folders() -> list[Path]:
    return sorted(path.parent for path in CASES.glob("*/*/*/expected.csv"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Yield an empty warehouse with all temporary tables, empty as well."""
    folder = tmp_path_factory.mktemp("cases")
    with Warehouse.open(folder / "w.duckdb") as warehouse:
        for name in FLOW:
            if "makes" in header(name) or name == "ingest/macros":
                run_on_empty(warehouse, name, folder)
        yield warehouse


@pytest.fixture
def warehouse(made: Warehouse) -> Iterator[Warehouse]:
    """Yield the empty warehouse; what a test writes is undone."""
    connection(made).execute("BEGIN TRANSACTION")
    yield made
    connection(made).execute("ROLLBACK")


@pytest.fixture(scope="module")
def results() -> dict[Path, pl.DataFrame]:
    """Return what has come of cases so far."""
    return {}


@pytest.fixture
def result_of(
    warehouse: Warehouse, results: dict[Path, pl.DataFrame]
) -> Callable[[Path], pl.DataFrame]:
    """Return a function that runs the statement of a case on its tables, once for all tests."""

    def result(case: Path) -> pl.DataFrame:
        if case not in results:
            results[case] = run_case(warehouse, case)
        return results[case]

    return result


def run_case(warehouse: Warehouse, case: Path) -> pl.DataFrame:
    name = str(case.parent.relative_to(CASES))
    with ExitStack() as frames:
        for file in case.glob("*.csv"):
            if file.stem in FRAMES:
                given = pl.read_csv(file, schema=dict(FRAMES[file.stem]))
                frames.enter_context(warehouse.frame(file.stem, given))
            elif file.stem != "expected":
                fill(connection(warehouse), file.stem, read_csv(file))
        return execute(connection(warehouse), name, parameters(name, case / "params.json"))


@pytest.mark.parametrize("case", case_folders(), ids=lambda path: str(path.relative_to(CASES)))
def test_statement_gives_the_expected_rows(
    result_of: Callable[[Path], pl.DataFrame], case: Path
) -> None:
    name = str(case.parent.relative_to(CASES))
    result = result_of(case)
    expected = read_csv(case / "expected.csv")
    columns = (case / "expected.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    rows = result.select(columns).rows()
    wanted = [tuple(typed(row[c], result[c]) for c in columns) for row in expected]
    if name.startswith("reports/"):
        assert result.columns == columns
    if name.startswith(("reports/", "checks/")):
        assert rows == wanted
    else:
        assert sorted(rows, key=str) == sorted(wanted, key=str)


@pytest.mark.parametrize(
    "name",
    [
        *(f"checks/{name}" for name in statements("checks")),
        *(name for name in FLOW if "makes" in header(name)),
    ],
)
def test_nothing_comes_of_empty_tables(warehouse: Warehouse, name: str) -> None:
    with empty_frames(warehouse, name):
        assert execute(connection(warehouse), name, parameters(name, Path("none"))).is_empty()


def test_batches_of_refused_identifiers_do_not_change_their_hash(warehouse: Warehouse) -> None:
    def of_counts(*counts: str) -> tuple[object, ...]:
        connection(warehouse).execute("DELETE FROM refused_identifiers")
        fill(connection(warehouse), "refused_identifiers", [{"row_count": n} for n in counts])
        return (
            warehouse.query("reports/table_hashes").filter(table_name="refused_identifiers").row(0)
        )

    assert of_counts("4", "1") == of_counts("5") != of_counts("6")


@pytest.mark.parametrize("name", [f"checks/{name}" for name in statements("checks")])
def test_every_check_has_a_case_that_breaks_it(name: str) -> None:
    assert any(read_csv(path) for path in (CASES / name).glob("*/expected.csv"))


@pytest.mark.parametrize(
    "case",
    [case for case in case_folders() if case.parts[-3] in ("reports", "checks")],
    ids=lambda path: str(path.relative_to(CASES)),
)
def test_order_of_a_report_or_check_is_total(
    result_of: Callable[[Path], pl.DataFrame], case: Path
) -> None:
    name = str(case.parent.relative_to(CASES))
    result = result_of(case)
    terms = parsed(name).args["order"].expressions
    keys = [term.this.name for term in terms]
    assert result.unique().height == result.unique().select(keys).unique().height


def read_csv(path: Path) -> list[dict[str, str | None]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: v or None for k, v in row.items()} for row in csv.DictReader(file, strict=True)]


def parameters(name: str, path: Path) -> dict[str, object]:
    """Return the parameters of a statement: those of a case, else those of flow.py."""
    given = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    names = re.findall(r"\$(\w+)", header(name)["parameters"])
    assert set(given) <= set(names)
    return {key: _value(given[key]) if key in given else PARAMETERS[key] for key in names}


def _value(value: object) -> object:
    if not isinstance(value, str):
        return value
    if value.endswith(" h"):
        return timedelta(hours=int(value.removesuffix(" h"))) // MICROSECOND
    if TIMESTAMP.fullmatch(value):
        return datetime.fromisoformat(value)
    return date.fromisoformat(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", value) else value


def fill(
    database: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, str | None]]
) -> None:
    """Insert rows of text into a table, with defaults for the columns that they leave out."""
    kinds = columns_of(database, table)
    needed = {
        column: not_null and DEFAULTS.get(column, BY_TYPE.get(kind, "0"))
        for column, (kind, not_null) in kinds.items()
    }
    assert all(set(row) <= set(needed) for row in rows), f"{table} lacks a column of its file"
    cells = {
        column: pa.array(
            [_cell(row[column] if column in row else needed[column] or None, kind) for row in rows],
            pa.string(),
        )
        for column, (kind, _) in kinds.items()
    }
    if rows:
        database.from_arrow(pa.table(cells)).insert_into(table)


@cache
def columns_of(database: duckdb.DuckDBPyConnection, table: str) -> dict[str, tuple[str, bool]]:
    """Return the type of each column of a table, and whether it may not be null."""
    rows = database.execute(
        'SELECT name, type, "notnull" FROM pragma_table_info($table)', {"table": table}
    ).fetchall()
    return {name: (kind, not_null) for name, kind, not_null in rows}


def _cell(value: str | None, kind: str) -> str | None:
    if value is None:
        return None
    if value == "''":
        return ""
    if kind == "UUID":
        return str(UUID(int=int(value)))
    if kind == "UUID[]":
        return f"[{', '.join(_cell(part, 'UUID') or '' for part in value.strip('[]').split(', '))}]"
    return str(_microseconds(value)) if kind == "BIGINT" else value


def _microseconds(value: str) -> int:
    if not TIMESTAMP.match(value):
        return int(value)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return (datetime.fromisoformat(value).replace(tzinfo=UTC) - epoch) // MICROSECOND


def execute(
    database: duckdb.DuckDBPyConnection, name: str, values: dict[str, object]
) -> pl.DataFrame:
    """Run a statement and return its result, or the table that it makes or writes to."""
    tree = parsed(name)
    if isinstance(tree, exp.Select):
        result: pl.DataFrame = database.sql(statement(name), params=values or None).pl()
        return result
    database.execute(statement(name), values or None).fetchall()
    table = tree.find(exp.Table)
    assert table is not None
    written: pl.DataFrame = database.table(table.name).pl()
    return written


def typed(cell: str | None, column: pl.Series) -> object:
    """Return a cell of expected.csv as a value of the type of a column."""
    if cell is None:
        return None
    if column.dtype == pl.String:
        is_digest = any(DIGEST.fullmatch(value) for value in column.drop_nulls())
        if cell == "''":
            return ""
        return str(UUID(int=int(cell))) if is_digest and cell.isdigit() else cell
    if column.dtype.is_integer():
        return _microseconds(cell)
    read: Callable[[str], object] = str
    if column.dtype.is_decimal():
        read = Decimal
    elif column.dtype.is_float():
        read = float
    elif column.dtype == pl.Date:
        read = date.fromisoformat
    elif column.dtype == pl.Datetime:
        read = datetime.fromisoformat
    elif column.dtype == pl.Boolean:
        read = {"true": True, "false": False}.__getitem__
    elif column.dtype == pl.List:
        parts = cell.strip("[]").split(", ")
        digests = column.explode().drop_nulls()
        return [typed(part, digests) for part in parts]
    return read(cell)
