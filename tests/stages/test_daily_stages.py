"""The laws of match_day and attribute_day, over many tiny worlds at once."""

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from attribution import attribute_day
from matching import match_day
from tests.stages.twin import Tables, tables_of
from tests.stages.worlds import (
    CONFIG,
    DAYS,
    Day,
    Logs,
    change_day,
    hashes,
    ingest,
    make_logs,
    process,
)
from warehouse.checks import broken
from warehouse.config import Config, MatchingConfig, Method
from warehouse.database import Warehouse
from warehouse.runs import Run

WORLDS = 120
# the tables that the twin tells of, without the columns that name the version of the code
TWIN_TABLES = {
    "identity_links": [],
    "matches": ["model_version"],
    "match_conflicts": [],
    "conversions": [],
    "conversion_signals": [],
    "path_touches": [],
    "credits": [],
}


@dataclass(frozen=True)
class Processed:
    """Logs, and a closed warehouse in which each of their days was processed in turn."""

    logs: Logs
    path: Path


Starter = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Return a function that begins a run on a new warehouse, or on a copy of one."""
    with ExitStack() as stack:
        numbers = itertools.count()

        def begin(config: Config = CONFIG, *, copy: Processed | None = None) -> Run:
            path = tmp_path / f"{next(numbers)}.duckdb"
            if copy is not None:
                shutil.copy(copy.path, path)
            return Run(stack.enter_context(Warehouse.open(path)), "run", config)

        yield begin


@pytest.fixture(scope="module")
def forward(tmp_path_factory: pytest.TempPathFactory) -> Processed:
    return _processed(make_logs(worlds=WORLDS, seed=1), tmp_path_factory.mktemp("forward"))


@pytest.fixture(scope="module")
def told_once(tmp_path_factory: pytest.TempPathFactory) -> Processed:
    """Return worlds in which no signal is sent on two log days.

    The row that repeats a signal is refused when it is read; when the day of the other is replaced,
    only reading its own day again brings it back.
    """
    logs = make_logs(worlds=WORLDS, seed=2, sent_again=False)
    return _processed(logs, tmp_path_factory.mktemp("told_once"))


def _processed(logs: Logs, folder: Path) -> Processed:
    with Warehouse.open(folder / "w.duckdb") as warehouse:
        run = Run(warehouse, "run", CONFIG)
        for day in DAYS:
            process(run, day, logs[day])
    return Processed(logs, folder / "w.duckdb")


def assert_as_twin(warehouse: Warehouse, logs: Logs, config: Config = CONFIG) -> None:
    """Compare table by table; a failure shows few rows, since pytest's own diff takes minutes."""
    expected = tables_of(logs, config)
    for name, rows in stored(warehouse).items():
        surplus = sorted(set(map(str, rows)) - set(map(str, expected[name])))
        missing = sorted(set(map(str, expected[name])) - set(map(str, rows)))
        if surplus or missing or len(rows) != len(expected[name]):
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


def test_worlds_meet_every_case(forward: Processed) -> None:
    expected = tables_of(forward.logs, CONFIG)
    assert {row[3] for row in expected["matches"]} == set(Method)
    assert {row[3] for row in expected["match_conflicts"]} == {"other_user", "shared_identifier"}
    assert {row[-1] for row in expected["conversions"]} == {"active", "restated", "retracted"}
    assert {row[2] for row in expected["credits"]} == {"touch", "organic", "unmatched"}
    assert {row[3] for row in expected["conversion_signals"]} == {
        "first", "repeat", "retraction", "restatement",
    }  # fmt: skip
    assert any(row[2] is None for row in expected["conversion_signals"])


def test_days_in_turn_give_the_tables_of_the_twin(start: Starter, forward: Processed) -> None:
    assert_as_twin(start(copy=forward).warehouse, forward.logs)


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (2, 0, 3, 1)], ids=str)
def test_days_in_any_order_give_the_same_tables(
    start: Starter, forward: Processed, order: tuple[int, ...]
) -> None:
    run = start()
    for number in order:
        process(run, DAYS[number], forward.logs[DAYS[number]])
    assert_as_twin(run.warehouse, forward.logs)
    assert hashes(run.warehouse) == hashes(start(copy=forward).warehouse)


def test_each_stage_may_do_all_days_first(start: Starter, forward: Processed) -> None:
    run = start()
    for day in DAYS:
        ingest(run.warehouse, day, forward.logs[day])
    for day in reversed(DAYS):
        match_day(run, day)
    for day in reversed(DAYS):
        attribute_day(run, day)
    assert_as_twin(run.warehouse, forward.logs)


# external_id stands last or not at all: it is derived from what the others say
@pytest.mark.parametrize(
    "config",
    [
        CONFIG.model_copy(
            update={
                "matching": MatchingConfig(
                    order=(Method.COOKIE_ID, Method.EMAIL, Method.CLICK_ID, Method.EXTERNAL_ID)
                )
            }
        ),
        Config(matching=MatchingConfig(order=(Method.PHONE, Method.EMAIL))),
    ],
    ids=["cookie first", "default windows, no customer id"],
)
def test_any_configuration_gives_the_tables_of_the_twin(
    start: Starter, forward: Processed, config: Config
) -> None:
    run = start(config)
    for day in (DAYS[1], DAYS[0], DAYS[2], DAYS[3]):
        process(run, day, forward.logs[day])
    assert_as_twin(run.warehouse, forward.logs, config)


def test_a_day_processed_twice_changes_nothing(start: Starter, forward: Processed) -> None:
    run = start(copy=forward)
    before, restated = hashes(run.warehouse), table(run.warehouse, "restatements")
    for day in DAYS:
        process(run, day, forward.logs[day])
        assert hashes(run.warehouse) == before
    assert table(run.warehouse, "restatements").equals(restated)


def test_a_replaced_day_leaves_nothing_of_what_it_was(start: Starter, told_once: Processed) -> None:
    run, logs = start(copy=told_once), dict(told_once.logs)
    for day in (DAYS[1], DAYS[3], DAYS[0], DAYS[2]):
        logs[day] = change_day(day, logs[day], seed=1)
        process(run, day, logs[day])
        assert_as_twin(run.warehouse, logs)


def test_replaced_days_may_be_ingested_ahead(start: Starter, told_once: Processed) -> None:
    run = start(copy=told_once)
    logs = {day: change_day(day, content, seed=3) for day, content in told_once.logs.items()}
    for day in DAYS:
        ingest(run.warehouse, day, logs[day])
    for day in DAYS:
        match_day(run, day)
        attribute_day(run, day)
    assert_as_twin(run.warehouse, logs)


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_day_replaced_by_nothing_was_never_there(
    start: Starter, told_once: Processed, day: date
) -> None:
    run = start(copy=told_once)
    process(run, day, Day())
    assert_as_twin(run.warehouse, {**told_once.logs, day: Day()})


def test_what_a_later_run_changes_is_in_restatements(start: Starter, told_once: Processed) -> None:
    run, logs, changes = start(), told_once.logs, 0
    history = [
        *((DAYS[number], logs[DAYS[number]]) for number in (3, 1, 2, 0)),
        *((day, change_day(day, logs[day], seed=5)) for day in (DAYS[1], DAYS[3])),
    ]
    for day, content in history:
        before, told = credit_of(run.warehouse), table(run.warehouse, "restatements").height
        process(run, day, content)
        after = credit_of(run.warehouse)
        changed = {
            conversion: (rows, after.get(conversion))
            for conversion, rows in before.items()
            if rows != after.get(conversion)
        }
        written = table(run.warehouse, "restatements")[told:]
        if restated(written) != changed:
            pytest.fail(f"{day}: {written.height} restatements for {len(changed)} changes")
        assert written.height == len(changed)
        changes += len(changed)
    assert changes > WORLDS


def test_every_signal_stands_in_one_outcome(start: Starter, forward: Processed) -> None:
    warehouse = start(copy=forward).warehouse
    outcomes = warehouse.query("reports/signal_outcomes")
    sent = {row["signal_id"] for content in forward.logs.values() for row in content.signals}
    assert outcomes["signals"].sum() == len(sent)
    assert set(table(warehouse, "conversion_signals")["signal_id"]) == sent


def test_credit_of_each_conversion_sums_to_one(start: Starter, forward: Processed) -> None:
    warehouse = start(copy=forward).warehouse
    credit = table(warehouse, "credits").group_by("conversion_id").agg(
        pl.col("credit_micros").sum()
    )  # fmt: skip
    assert set(credit["conversion_id"]) == set(table(warehouse, "conversions")["conversion_id"])
    assert credit["credit_micros"].unique().to_list() == [1_000_000]


def restated(rows: pl.DataFrame) -> dict[object, tuple[object, object]]:
    """Return what restatements say, by conversion."""
    return {
        row["conversion_id"]: (json.loads(row["before"]), row["after"] and json.loads(row["after"]))
        for row in rows.to_dicts()
    }


def credit_of(warehouse: Warehouse) -> dict[str, list[dict[str, object]]]:
    """Return the credit of each conversion in the words of restatements."""
    columns = ["outcome", "user_id", "touch_id", "campaign_id", "credit_micros", "value_micros"]
    return {
        row["conversion_id"]: [{name: row[name] for name in columns}]
        for row in table(warehouse, "credits").to_dicts()
    }
