"""The laws of match_day and attribute_day, over many tiny worlds at once."""

from datetime import date

import polars as pl
import pytest

from attribution import attribute_day
from tests.stages.histories import (
    Processed,
    Starter,
    assert_as_twin,
    credit_of,
    restated,
    table,
)
from tests.stages.processing import hashes, ingest, match, process
from tests.stages.settings import CONFIG, DAYS, DEFAULT, RULE_MODELS, WORLDS
from tests.stages.twin import tables_of
from tests.stages.worlds import Day, change_day, make_logs
from warehouse.config import Method

TOUCHES_ARE_REFUSED = {"bot", "data_centre", "click_flooding", "click_injection"}


def test_worlds_meet_every_case(forward: Processed) -> None:
    expected = tables_of(forward.logs, CONFIG)
    assert {row[3] for row in expected["matches"]} == {*Method, "model"}
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
    for model in RULE_MODELS:
        assert {(row[2], row[10]) for row in expected["credits"] if row[1] == model} == {
            ("touch", None), ("organic", None), ("organic", "reinstall"), ("unmatched", None),
            *(("rejected", reason) for reason in TOUCHES_ARE_REFUSED),
        }  # fmt: skip
    assert {row[-1] for row in expected["path_touches"]} == {None, *TOUCHES_ARE_REFUSED}
    assert {row[-3:] for row in expected["path_touches"]} >= {
        (True, 1, None), (True, 2, None), (False, 1, None), (False, 2, None)
    }  # fmt: skip
    assert len({row[0] for row in expected["conversion_users"]}) > 5 * WORLDS
    assert {row[1] for row in expected["invalid_users"]} == {"bot", "data_centre"}
    assert expected["invalid_touches"]
    assert {row[3] for row in expected["conversion_signals"]} == {
        "first", "repeat", "retraction", "restatement",
    }  # fmt: skip
    assert any(row[2] is None for row in expected["conversion_signals"])


def test_days_in_turn_give_the_tables_of_the_twin(start: Starter, forward: Processed) -> None:
    assert_as_twin(start(copy=forward).warehouse, forward.logs)


@pytest.mark.slow
def test_each_stage_may_do_all_days_first_in_two_hundred_worlds(start: Starter) -> None:
    run, logs = start(), make_logs(worlds=200, seed=11, sent_again=False)
    ingest(run, logs)
    for day in reversed(DAYS):
        match(run, day)
    for day in reversed(DAYS):
        attribute_day(run, day)
    assert_as_twin(run.warehouse, logs)


@pytest.mark.slow
def test_default_rules_in_two_hundred_worlds_that_send_signals_again_on_other_days(
    start: Starter,
) -> None:
    run, logs = start(DEFAULT), make_logs(worlds=200, seed=12)
    for number in (2, 4, 0, 3, 1):
        process(run, DAYS[number], logs[DAYS[number]])
    assert_as_twin(run.warehouse, logs, DEFAULT)


def test_days_in_reverse_order_give_the_same_tables(start: Starter, forward: Processed) -> None:
    run = start()
    for number in (4, 3, 2, 1, 0):
        process(run, DAYS[number], forward.logs[DAYS[number]])
    assert_as_twin(run.warehouse, forward.logs)
    assert hashes(run.warehouse) == hashes(start(copy=forward).warehouse)


def test_a_day_processed_twice_changes_nothing(start: Starter, forward: Processed) -> None:
    run = start(copy=forward)
    before, restated = hashes(run.warehouse), table(run.warehouse, "restatements")
    for day in (DAYS[2], DAYS[0]):
        process(run, day, forward.logs[day])
        assert hashes(run.warehouse) == before
    assert table(run.warehouse, "restatements").equals(restated)


def test_a_replaced_day_leaves_nothing_of_what_it_was(start: Starter, forward: Processed) -> None:
    run, logs = start(copy=forward), dict(forward.logs)
    for day in (DAYS[1], DAYS[4]):
        logs[day] = change_day(day, logs[day], seed=1)
        process(run, day, logs[day])
        assert_as_twin(run.warehouse, logs)


def test_replaced_days_may_be_ingested_ahead(start: Starter, forward: Processed) -> None:
    run = start(copy=forward)
    logs = {day: change_day(day, content, seed=3) for day, content in forward.logs.items()}
    ingest(run, logs)
    for day in DAYS:
        match(run, day)
        attribute_day(run, day)
    assert_as_twin(run.warehouse, logs)


@pytest.mark.parametrize("day", DAYS[::4], ids=str)
def test_a_day_replaced_by_nothing_was_never_there(
    start: Starter, forward: Processed, day: date
) -> None:
    run = start(copy=forward)
    process(run, day, Day())
    assert_as_twin(run.warehouse, {**forward.logs, day: Day()})


def test_what_a_later_run_changes_is_in_restatements(start: Starter, forward: Processed) -> None:
    run, logs, changes = start(copy=forward), forward.logs, 0
    history = [
        *((day, change_day(day, logs[day], seed=5)) for day in (DAYS[1], DAYS[4])),
        (DAYS[0], Day()),
        (DAYS[0], logs[DAYS[0]]),
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


def test_credit_and_value_of_each_conversion_and_model_are_whole(
    start: Starter, forward: Processed
) -> None:
    warehouse = start(copy=forward).warehouse
    sums = table(warehouse, "credits").group_by("conversion_id", "model").agg(
        pl.col("credit_micros", "value_micros").sum()
    )  # fmt: skip
    values = {
        row["conversion_id"]: int((row["value"] or 0) * 1_000_000)
        for row in table(warehouse, "conversions").to_dicts()
    }
    assert sorted(sums.rows()) == sorted(
        (conversion, str(model), 1_000_000, value)
        for conversion, value in values.items()
        for model in RULE_MODELS
    )
