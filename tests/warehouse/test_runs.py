"""The ledger: every stage leaves a line, and only a whole stage leaves rows."""

from datetime import date, datetime

import pytest

from tests.warehouse.folders import select
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import InputFileError
from warehouse.runs import Run, version

DAY = date(2026, 1, 5)


def test_a_stage_done_is_in_the_ledger_with_its_counts(warehouse: Warehouse) -> None:
    run = Run(warehouse, "ingest", Config())
    with run.stage("ingest", DAY) as counts:
        counts.rows_in, counts.rows_out, counts.rows_rejected = 5, 3, 2
    row = select(warehouse, "SELECT * FROM runs").row(0, named=True)
    assert (row["run_id"], row["stage"], row["day"], row["status"]) == (
        run.run_id, "ingest", DAY, "done",
    )  # fmt: skip
    assert (row["rows_in"], row["rows_out"], row["rows_rejected"]) == (5, 3, 2)
    assert row["adscribe_version"] == version()
    assert Config.model_validate_json(row["config_json"]) == Config()
    assert row["peak_memory_bytes"] > 0
    assert row["finished_at"] >= row["started_at"]


@pytest.mark.parametrize(
    ("error", "message"),
    [(InputFileError("a.csv: bad."), "a.csv: bad."), (KeyError("ann@mail.example"), "KeyError")],
)
def test_a_stage_failed_says_so_and_keeps_nothing(
    warehouse: Warehouse, error: Exception, message: str
) -> None:
    run = Run(warehouse, "ingest", Config())

    def fail() -> None:
        with run.stage("ingest", DAY):
            warehouse.execute("ledger/record_setting", name="a", value="1")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert warehouse.query("ledger/setting", name="a").is_empty()
    rows = select(warehouse, "SELECT status, message FROM runs").rows()
    assert rows == [("failed", message)]


def test_the_next_run_marks_what_was_killed(warehouse: Warehouse) -> None:
    killed = Run(warehouse, "ingest", Config())
    warehouse.execute(
        "ledger/start_stage",
        run_id=killed.run_id,
        command="ingest",
        stage="ingest",
        day=DAY,
        started_at=datetime(2026, 1, 6),  # noqa: DTZ001 -- the ledger is in UTC
        adscribe_version=version(),
        config_json="{}",
    )
    Run(warehouse, "ingest", Config())
    assert select(warehouse, "SELECT status FROM runs").rows() == [("interrupted",)]


def test_run_ids_differ(warehouse: Warehouse) -> None:
    assert len({Run(warehouse, "run", Config()).run_id for _ in range(50)}) == 50
