"""Warehouses with a history, and whether they hold what the twin tells."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from tests.stages.processing import process
from tests.stages.settings import CONFIG
from tests.stages.twin import Tables, tables_of
from tests.stages.worlds import Logs
from warehouse.checks import broken
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.runs import Run

Starter = Callable[..., Run]
# the tables that the twin tells of, without the columns that name the version of the code
TWIN_TABLES = {
    "identity_links": [],
    "signal_evidence": [],
    "identity_events": [],
    "matches": ["model_version"],
    "match_conflicts": [],
    "invalid_touches": [],
    "invalid_users": [],
    "conversions": [],
    "conversion_signals": [],
    "conversion_users": [],
    "path_touches": [],
    "credits": ["model_version"],
}


@dataclass(frozen=True)
class Processed:
    """Logs, and a closed warehouse in which each of their days was processed in turn."""

    logs: Logs
    path: Path


def process_in_turn(logs: Logs, folder: Path, config: Config = CONFIG) -> Processed:
    """Return a new warehouse in which each day was processed in turn."""
    with Warehouse.open(folder / "w.duckdb") as warehouse:
        run = Run(warehouse, "run", config)
        for day, content in logs.items():
            process(run, day, content)
    return Processed(logs, folder / "w.duckdb")


def assert_as_twin(warehouse: Warehouse, logs: Logs, config: Config = CONFIG) -> None:
    """Compare table by table; a failure shows few rows, since pytest's own diff takes minutes."""
    expected = tables_of(logs, config)
    for name, rows in stored(warehouse).items():
        found, told = sorted(map(str, rows)), sorted(map(str, expected[name]))
        if found != told:
            surplus, missing = sorted(set(found) - set(told)), sorted(set(told) - set(found))
            pytest.fail(
                f"{name}: {len(rows)} rows for {len(expected[name])}; {len(surplus)} surplus: "
                f"{surplus[:3]}; {len(missing)} missing: {missing[:3]}",
                pytrace=False,
            )
    assert broken(warehouse) == {}


def stored(warehouse: Warehouse) -> Tables:
    """Return the rows of the tables that the twin tells of."""
    return {name: table(warehouse, name).drop(drop).rows() for name, drop in TWIN_TABLES.items()}


def table(warehouse: Warehouse, name: str) -> pl.DataFrame:
    """Return a table whole."""
    frame: pl.DataFrame = warehouse._connection.table(name).pl()
    return frame


def restated(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[object, object]]:
    """Return what restatements say, by conversion and model."""
    return {
        (row["conversion_id"], row["model"]): (
            json.loads(row["before"]),
            row["after"] and json.loads(row["after"]),
        )
        for row in rows.to_dicts()
    }


def credit_of(warehouse: Warehouse) -> dict[tuple[str, str], list[dict[str, object]]]:
    """Return the credit of each conversion and model in the words of restatements."""
    columns = [
        "outcome", "user_id", "touch_id", "campaign_id", "credit_micros", "value_micros", "reason",
    ]  # fmt: skip
    credit = defaultdict(list)
    rows = table(warehouse, "credits").sort("outcome", "user_id", "touch_id", nulls_last=True)
    for row in rows.to_dicts():
        credit[row["conversion_id"], row["model"]].append({name: row[name] for name in columns})
    return dict(credit)
