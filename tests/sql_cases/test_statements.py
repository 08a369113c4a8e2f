"""Every file of sql/ keeps to the rules of its folder and binds on an empty warehouse."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from tests.sql_cases.flow import (
    EVERY_STATEMENT,
    FLOW,
    FOLDERS,
    MIGRATIONS,
    connection,
    header,
    parsed,
    run_on_empty,
    trees,
)
from warehouse.database import Warehouse, statement

SCRIPTS = (*MIGRATIONS, "ingest/macros")  # many statements to a file
SINGLE = [name for name in EVERY_STATEMENT if name not in SCRIPTS]

# what they read is not named by a FROM clause
READERS = {
    "ingest/first_line": "a file, by the function read_csv",
    "ingest/read_csv": "a file, by the function read_csv",
    "ingest/read_json_lines": "a file, by the function read_csv",
    "ledger/tables": "the catalogue, by the function duckdb_tables",
}
SPARK_HAS = {"TIMESTAMP_MICROS"}  # unknown to sqlglot alone
TO_RENAME = {"EPOCH_US", "HASH"}  # unix_micros and xxhash64 in Spark; sqlglot leaves them

STAGE_STATEMENTS = [
    name
    for name in EVERY_STATEMENT
    if name.startswith(("matching/", "attribution/"))
    and not name.partition("/")[2].startswith(("delete_", "insert_", "explain_", "count_"))
]
ORDERED = [name for name in EVERY_STATEMENT if name.startswith(("reports/", "checks/"))]


def without_comments(text: str) -> str:
    return re.sub(r"--.*", "", text)


def parameters_in(text: str) -> set[str]:
    return set(re.findall(r"\$[a-z_]+", text))


def tables_read(expression: exp.Expression) -> set[str]:
    """Return the tables of all FROM clauses that no WITH clause defines."""
    defined = {cte.alias for cte in expression.find_all(exp.CTE)}
    target = expression.find(exp.Table) if isinstance(expression, exp.Insert | exp.Create) else None
    return {
        table.name
        for table in expression.find_all(exp.Table)
        if table is not target and table.name and table.name not in defined
    }


def test_folders_of_sql_are_all_known() -> None:
    folder = Path(__file__).resolve().parents[2] / "sql"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == sorted(FOLDERS)


def test_flow_holds_every_statement_once() -> None:
    assert sorted((*FLOW, *MIGRATIONS)) == sorted(EVERY_STATEMENT)


@pytest.mark.parametrize("name", EVERY_STATEMENT)
def test_header_says_purpose_grain_reads_and_parameters(name: str) -> None:
    expected = ["purpose", "grain", "makes", "reads", "parameters"]
    if name in MIGRATIONS:
        expected = ["purpose", "grain"]
    elif name in SCRIPTS or not isinstance(parsed(name), exp.Create):
        expected.remove("makes")
    assert list(header(name)) == expected
    assert all(header(name).values())


@pytest.mark.parametrize("name", EVERY_STATEMENT)
def test_header_names_the_parameters(name: str) -> None:
    body = parameters_in(without_comments(statement(name)))
    assert parameters_in(header(name).get("parameters", "")) == body
    assert body or header(name).get("parameters", "none") == "none"


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in READERS])
def test_header_names_the_tables_read(name: str) -> None:
    told = re.sub(r"\(.*\)", "", header(name)["reads"])
    expected = set() if told == "nothing" else {word.strip() for word in told.split(",")}
    assert tables_read(parsed(name)) == expected


@pytest.mark.parametrize("name", [name for name in SINGLE if "makes" in header(name)])
def test_header_names_the_temporary_table_made(name: str) -> None:
    created = parsed(name)
    assert isinstance(created, exp.Create)
    assert created.find(exp.TemporaryProperty) is not None
    assert created.find(exp.Table).name == header(name)["makes"]


@pytest.mark.parametrize("name", SINGLE)
def test_a_file_is_one_statement(name: str) -> None:
    assert len(trees(name)) == 1


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Yield an empty warehouse in which all temporary tables have been made."""
    folder = tmp_path_factory.mktemp("empty")
    with Warehouse.open(folder / "w.duckdb") as warehouse:
        connection(warehouse).execute("BEGIN TRANSACTION")
        for name in FLOW:
            run_on_empty(warehouse, name, folder)
        connection(warehouse).execute("ROLLBACK")
        # the temporary tables went with the transaction: make them again, to stay
        for name in FLOW:
            if "makes" in header(name) or name in ("ingest/macros", "ingest/read_csv"):
                run_on_empty(warehouse, name, folder)
        yield warehouse


@pytest.mark.parametrize("name", FLOW)
def test_statement_runs_on_the_empty_schema(empty: Warehouse, name: str, tmp_path: Path) -> None:
    connection(empty).execute("BEGIN TRANSACTION")
    try:
        columns = run_on_empty(empty, name, tmp_path)
    finally:
        connection(empty).execute("ROLLBACK")
    assert len(set(columns)) == len(columns), "two columns of the result have one name"


@pytest.mark.parametrize("name", STAGE_STATEMENTS)
def test_stage_statement_is_one_that_spark_runs_too(name: str) -> None:
    tree = parsed(name)
    assert not [join for join in tree.find_all(exp.Join) if join.args.get("method") == "ASOF"]
    assert tree.find(exp.Lambda) is None
    types = {kind.this for kind in tree.find_all(exp.DataType)}
    assert not types & {exp.DataType.Type.TIMESTAMPTZ, exp.DataType.Type.TIMESTAMPLTZ}
    spark = tree.sql(dialect="spark", unsupported_level=sqlglot.ErrorLevel.RAISE)
    again = sqlglot.parse_one(spark, read="spark")
    unknown = {call.name.upper() for call in again.find_all(exp.Anonymous)}
    assert unknown <= SPARK_HAS | TO_RENAME


@pytest.mark.parametrize("name", ORDERED)
def test_rows_of_a_report_or_check_come_in_an_order(name: str) -> None:
    order = parsed(name).args.get("order")
    assert order is not None
    assert all(isinstance(term.this, exp.Column) for term in order.expressions)
