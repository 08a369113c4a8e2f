"""The laws of match_day and attribute_day, over many tiny worlds at once."""

from datetime import date

import polars as pl
import pytest

from attribution import attribute_day
from matching import match_day
from tests.stages.histories import (
    Processed,
    Starter,
    assert_as_twin,
    credit_of,
    restated,
    table,
)
from tests.stages.twin import tables_of
from tests.stages.worlds import (
    CONFIG,
    COOKIE_FIRST,
    DAYS,
    WORLDS,
    Day,
    change_day,
    hashes,
    ingest,
    make_logs,
    process,
)
from warehouse.config import Method


def test_worlds_meet_every_case(forward: Processed) -> None:
    expected = tables_of(forward.logs, CONFIG)
    assert {row[3] for row in expected["matches"]} == set(Method)
    assert {row[3] for row in expected["match_conflicts"]} == {
        "other_user", "shared_identifier", "too_many_users", "too_many_identifiers", "vetoed",
    }  # fmt: skip
    assert {row[3] for row in expected["identity_events"]} == {
        "merged", "split", "shared", "suppressed", "recovered",
    }  # fmt: skip
    assert {row[2] for row in expected["signal_evidence"]} == {
        "cookie_id", "device_id", "external_id",
    }  # fmt: skip
    assert {row[-1] for row in expected["conversions"]} == {"active", "restated", "retracted"}
    assert {row[2] for row in expected["credits"]} == {"touch", "organic", "unmatched"}
    assert {row[3] for row in expected["conversion_signals"]} == {
        "first", "repeat", "retraction", "restatement",
    }  # fmt: skip
    assert any(row[2] is None for row in expected["conversion_signals"])


def test_days_in_turn_give_the_tables_of_the_twin(start: Starter, forward: Processed) -> None:
    assert_as_twin(start(copy=forward).warehouse, forward.logs)


def test_days_in_reverse_order_give_the_same_tables(start: Starter, forward: Processed) -> None:
    run = start()
    for number in (4, 3, 2, 1, 0):
        process(run, DAYS[number], forward.logs[DAYS[number]])
    assert_as_twin(run.warehouse, forward.logs)
    assert hashes(run.warehouse) == hashes(start(copy=forward).warehouse)


def test_each_stage_may_do_all_days_first(start: Starter, forward: Processed) -> None:
    run = start()
    ingest(run, forward.logs)
    for day in reversed(DAYS):
        match_day(run, day)
    for day in reversed(DAYS):
        attribute_day(run, day)
    assert_as_twin(run.warehouse, forward.logs)


def test_signals_sent_again_on_other_days_count_once(start: Starter) -> None:
    run, logs = start(COOKIE_FIRST), make_logs(worlds=WORLDS, seed=1)
    for number in (2, 4, 0, 3, 1):
        process(run, DAYS[number], logs[DAYS[number]])
    assert_as_twin(run.warehouse, logs, COOKIE_FIRST)


def test_a_day_processed_twice_changes_nothing(start: Starter, forward: Processed) -> None:
    run = start(copy=forward)
    before, restated = hashes(run.warehouse), table(run.warehouse, "restatements")
    for day in (DAYS[2], DAYS[0], DAYS[4]):
        process(run, day, forward.logs[day])
        assert hashes(run.warehouse) == before
    assert table(run.warehouse, "restatements").equals(restated)


def test_a_replaced_day_leaves_nothing_of_what_it_was(start: Starter, forward: Processed) -> None:
    run, logs = start(copy=forward), dict(forward.logs)
    for day in (DAYS[1], DAYS[4], DAYS[0], DAYS[2]):
        logs[day] = change_day(day, logs[day], seed=1)
        process(run, day, logs[day])
        assert_as_twin(run.warehouse, logs)


def test_replaced_days_may_be_ingested_ahead(start: Starter, forward: Processed) -> None:
    run = start(copy=forward)
    logs = {day: change_day(day, content, seed=3) for day, content in forward.logs.items()}
    ingest(run, logs)
    for day in DAYS:
        match_day(run, day)
        attribute_day(run, day)
    assert_as_twin(run.warehouse, logs)


@pytest.mark.parametrize("day", DAYS[::2], ids=str)
def test_a_day_replaced_by_nothing_was_never_there(
    start: Starter, forward: Processed, day: date
) -> None:
    run = start(copy=forward)
    process(run, day, Day())
    assert_as_twin(run.warehouse, {**forward.logs, day: Day()})


def test_what_a_later_run_changes_is_in_restatements(start: Starter, forward: Processed) -> None:
    run, logs, changes = start(), forward.logs, 0
    history = [
        *((DAYS[number], logs[DAYS[number]]) for number in (4, 1, 3, 2, 0)),
        *((day, change_day(day, logs[day], seed=5)) for day in (DAYS[1], DAYS[4])),
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
