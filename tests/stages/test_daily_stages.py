"""The laws of match_day and attribute_day, over many tiny worlds at once."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
    with_day,
)
from warehouse.checks import broken
from warehouse.config import Config, MatchingConfig, Method
from warehouse.database import Warehouse
from warehouse.runs import Run

WORLDS = 200
STARTER = Callable[..., Run]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[STARTER]:
    """Return a function that begins a run on a new warehouse."""
    with ExitStack() as stack:
        numbers = itertools.count()

        def begin(config: Config = CONFIG) -> Run:
            path = tmp_path / f"{next(numbers)}.duckdb"
            return Run(stack.enter_context(Warehouse.open(path)), "run", config)

        yield begin


@pytest.fixture(scope="module")
def logs() -> Logs:
    return make_logs(worlds=WORLDS, seed=1)


@pytest.fixture(scope="module")
def told_once() -> Logs:
    """Return logs in which no signal is sent on two log days."""
    return make_logs(worlds=WORLDS, seed=2, sent_again=False)


def stored(warehouse: Warehouse) -> Tables:
    """Return the rows of the tables that the twin tells of, sorted as the twin's."""
    read = warehouse._connection.table
    drop = {"matches": ["model_version"]}
    tables = {}
    for name in TWIN_TABLES:
        rows = read(name).pl().drop(drop.get(name, [])).rows()
        tables[name] = sorted(rows, key=lambda row: [(cell is not None, cell) for cell in row])
    return tables


TWIN_TABLES = (
    "identity_links", "matches", "match_conflicts", "conversions", "conversion_signals", "credits",
)  # fmt: skip


def assert_equal(tables: Tables, expected: Tables) -> None:
    """Compare table by table; a failure shows few rows, since pytest's own diff takes minutes."""
    for name in TWIN_TABLES:
        surplus = sorted(set(map(str, tables[name])) - set(map(str, expected[name])))
        missing = sorted(set(map(str, expected[name])) - set(map(str, tables[name])))
        if surplus or missing or len(tables[name]) != len(expected[name]):
            pytest.fail(
                f"{name}: {len(tables[name])} rows for {len(expected[name])}; {len(surplus)} "
                f"surplus: {surplus[:3]}; {len(missing)} missing: {missing[:3]}",
                pytrace=False,
            )


def test_worlds_meet_every_case(logs: Logs) -> None:
    expected = tables_of(logs, CONFIG)
    assert {row[3] for row in expected["matches"]} == set(Method)
    assert {row[3] for row in expected["match_conflicts"]} == {"other_user", "shared_identifier"}
    assert {row[-1] for row in expected["conversions"]} == {"active", "restated", "retracted"}
    assert {row[2] for row in expected["credits"]} == {"touch", "organic", "unmatched"}
    assert {row[3] for row in expected["conversion_signals"]} == {
        "first", "repeat", "retraction", "restatement",
    }  # fmt: skip
    assert any(row[2] is None for row in expected["conversion_signals"])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1), (1, 3, 0, 2)])
def test_days_in_any_order_give_the_tables_of_the_twin(
    start: STARTER, logs: Logs, order: tuple[int, ...]
) -> None:
    run = start()
    for number in order:
        process(run, DAYS[number], logs[DAYS[number]])
    assert_equal(stored(run.warehouse), tables_of(logs, CONFIG))
    assert broken(run.warehouse) == {}


def test_days_in_any_order_give_the_same_hashes(start: STARTER, logs: Logs) -> None:
    forward, backward = start(), start()
    for day in DAYS:
        process(forward, day, logs[day])
    for day in reversed(DAYS):
        process(backward, day, logs[day])
    assert hashes(forward.warehouse) == hashes(backward.warehouse)


@pytest.mark.parametrize("days", [DAYS, DAYS[::-1]], ids=["forward", "backward"])
def test_stages_may_follow_each_other_for_all_days(
    start: STARTER, logs: Logs, days: list[date]
) -> None:
    run = start()
    for day in DAYS:
        ingest(run.warehouse, day, logs[day])
    for day in days:
        match_day(run, day)
    for day in days:
        attribute_day(run, day)
    assert_equal(stored(run.warehouse), tables_of(logs, CONFIG))
    assert broken(run.warehouse) == {}


def test_logs_ingested_ahead_change_nothing(start: STARTER, logs: Logs) -> None:
    run = start()
    for day in DAYS:
        ingest(run.warehouse, day, logs[day])
    for day in DAYS:
        match_day(run, day)
        attribute_day(run, day)
    assert_equal(stored(run.warehouse), tables_of(logs, CONFIG))


@pytest.mark.parametrize(
    "methods",
    [
        (Method.COOKIE_ID, Method.EMAIL, Method.CLICK_ID, Method.EXTERNAL_ID),
        (Method.EMAIL, Method.COOKIE_ID),
        (Method.PHONE,),
    ],
    ids=["cookie first", "no customer id", "phone alone"],
)
def test_any_order_of_trust_gives_the_tables_of_the_twin(
    start: STARTER, logs: Logs, methods: tuple[Method, ...]
) -> None:
    config = CONFIG.model_copy(update={"matching": MatchingConfig(order=methods)})
    run = start(config)
    for day in (DAYS[1], DAYS[0], DAYS[2], DAYS[3]):
        process(run, day, logs[day])
    process(run, DAYS[1], logs[DAYS[1]])
    assert_equal(stored(run.warehouse), tables_of(logs, config))


def test_default_windows_give_the_tables_of_the_twin(start: STARTER, logs: Logs) -> None:
    run = start(Config())
    for day in DAYS:
        process(run, day, logs[day])
    assert_equal(stored(run.warehouse), tables_of(logs, Config()))


def test_a_day_processed_twice_changes_nothing(start: STARTER, logs: Logs) -> None:
    run = start()
    for day in DAYS:
        process(run, day, logs[day])
    before, restated = hashes(run.warehouse), restatements(run.warehouse)
    for day in DAYS:
        process(run, day, logs[day])
        assert hashes(run.warehouse) == before
    assert restatements(run.warehouse).equals(restated)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_replaced_day_leaves_nothing_of_what_it_was(
    start: STARTER, told_once: Logs, seed: int
) -> None:
    run, logs = start(), told_once
    for day in DAYS:
        process(run, day, logs[day])
    for day in (DAYS[1], DAYS[3], DAYS[0], DAYS[2]):
        logs = with_day(logs, day, change_day(day, logs[day], seed=seed))
        process(run, day, logs[day])
        assert_equal(stored(run.warehouse), tables_of(logs, CONFIG))
        assert broken(run.warehouse) == {}


@pytest.mark.parametrize("number", range(len(DAYS)))
def test_a_day_replaced_by_nothing_was_never_there(
    start: STARTER, told_once: Logs, number: int
) -> None:
    run = start()
    for day in DAYS:
        process(run, day, told_once[day])
    process(run, DAYS[number], Day())
    emptied = with_day(told_once, DAYS[number], Day())
    assert_equal(stored(run.warehouse), tables_of(emptied, CONFIG))
    assert broken(run.warehouse) == {}


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 2, 0)])
def test_what_a_later_run_changes_is_in_restatements(
    start: STARTER, told_once: Logs, order: tuple[int, ...]
) -> None:
    run, logs, changes = start(), told_once, 0
    replaced = [(DAYS[n], change_day(DAYS[n], logs[DAYS[n]], seed=5)) for n in (1, 3)]
    for day, content in [*((DAYS[n], logs[DAYS[n]]) for n in order), *replaced]:
        before, told = credit_of(run.warehouse), len(restatements(run.warehouse))
        process(run, day, content)
        after = credit_of(run.warehouse)
        changed = {
            conversion: (rows, after.get(conversion))
            for conversion, rows in before.items()
            if rows != after.get(conversion)
        }
        assert changed_in(restatements(run.warehouse)[told:]) == changed
        changes += len(changed)
    assert changes > 100


def test_every_signal_stands_in_one_outcome(start: STARTER, logs: Logs) -> None:
    run = start()
    for day in DAYS:
        process(run, day, logs[day])
    sent = {row["signal_id"] for content in logs.values() for row in content.signals}
    outcomes = run.warehouse.query("reports/signal_outcomes")
    assert outcomes["signals"].sum() == len(sent)
    sums = run.warehouse._connection.table("credits").pl().group_by("conversion_id").agg(
        pl.col("credit_micros").sum()
    )  # fmt: skip
    assert sums["credit_micros"].unique().to_list() == [1_000_000]
    assert sums.height == outcomes["conversions"].sum()


def restatements(warehouse: Warehouse) -> pl.DataFrame:
    """Return the restatements in the order in which they were written."""
    return warehouse._connection.table("restatements").pl().drop("run_id")


def changed_in(frame: pl.DataFrame) -> dict[object, tuple[object, object]]:
    """Return what restatements say, by conversion."""
    return {
        conversion: (json.loads(before), after and json.loads(after))
        for conversion, _, before, after in frame.iter_rows()
    }


def credit_of(warehouse: Warehouse) -> dict[str, list[dict[str, object]]]:
    """Return the credit of each conversion as restatements tell it."""
    columns = ["outcome", "user_id", "touch_id", "credit_micros", "value_micros"]
    frame = warehouse._connection.table("credits").pl()
    return {row["conversion_id"]: [{name: row[name] for name in columns}] for row in frame.to_dicts()}
