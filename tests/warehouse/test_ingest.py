"""What a day's files become: replaced whole, each row accounted for, whatever the form or order."""

import itertools
import logging
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.warehouse.folders import (
    DAY,
    FOLDER,
    NEXT_DAY,
    NEXT_FOLDER,
    PACKERS,
    WRITERS,
    accounted_for,
    as_csv,
    as_json_lines,
    as_parquet,
    hashes,
    ingest,
    row_counts,
    rules,
    select,
    signal,
    touch,
    write,
)
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import InputFileError

NEXT_TIME = "2026-01-06 10:00:00"
MESSY = [
    signal("s1", value="12.5", currency="USD", email="ann@mail.example", consent="granted"),
    signal("s2", value="-1", currency="USD"),
    signal("s3", value="x", phone="+1 555 123 4567"),
    signal("s1", value="7"),
    signal("s4", currency="XXY", city="Zürich"),
    signal("s5", event_time="1970-01-01"),
    signal("s6", event_time="2999-01-01"),
    signal("", event_name="view"),
    signal("𝒳é", order_id="'; DROP TABLE signals; --"),
]


def test_three_formats_and_three_compressions_make_the_same_tables(
    warehouse: Warehouse, root
) -> None:
    columns = dict.fromkeys(name for row in MESSY for name in row)
    rows = [{**columns, **row} for row in MESSY]
    found = set()
    for ending, packing in itertools.product(WRITERS, PACKERS):
        if ending == ".parquet" and packing:
            continue
        content = PACKERS[packing](WRITERS[ending](rows))
        ingest(warehouse, write(root, {f"{FOLDER}/signals{ending}{packing}": content}))
        # the file's own name and line numbers, and null for "", are all that may differ
        stored = select(
            warehouse,
            "SELECT * EXCLUDE (source_file, source_row) FROM signals ORDER BY signal_id",
        )
        refused = select(warehouse, "SELECT day, rule FROM rejected_rows ORDER BY ALL")
        found.add((stored.write_json(), refused.write_json()))
        assert accounted_for(warehouse) == len(MESSY)
    assert len(found) == 1
    assert rules(warehouse) == {
        "value.negative": 1, "value.not_a_number": 1, "currency.unknown_value": 1,
        "event_time.out_of_range": 1, "event_time_after_log_day": 1, "signal_id.missing": 1,
        "signal_id.repeated": 1,
    }  # fmt: skip


@given(order=st.permutations(range(6)))
@settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_which_file_a_row_stands_in_and_in_what_order_does_not_matter(
    warehouse: Warehouse, root, order: list[int]
) -> None:
    rows = [signal(f"s{n}", value=n - 1) for n in range(6)]
    files = {
        f"{FOLDER}/signals-{part}.csv": as_csv([rows[n] for n in order[part * 2 : part * 2 + 2]])
        for part in range(3)
    }
    ingest(warehouse, write(root, files))
    stored = select(warehouse, "SELECT signal_id, value FROM signals ORDER BY signal_id")
    assert stored.rows() == [(f"s{n}", n - 1.0) for n in range(1, 6)]
    assert rules(warehouse) == {"value.negative": 1}


def two_days(first: list, second: list) -> dict[str, bytes]:
    return {
        f"{FOLDER}/signals.csv": as_csv(first),
        f"{NEXT_FOLDER}/signals.csv": as_csv(second),
    }


def test_days_may_be_read_in_any_order_and_again(warehouse: Warehouse, root) -> None:
    later = [signal("s2", event_time=NEXT_TIME), signal("s3", event_time=NEXT_TIME)]
    logs = write(root, two_days([signal("s1"), signal("s2")], later))
    ingest(warehouse, logs)
    expected = hashes(warehouse)
    assert rules(warehouse) == {"signal_id.repeated": 1}
    for day in (DAY, NEXT_DAY, NEXT_DAY, DAY):
        ingest(warehouse, logs, day)
        assert hashes(warehouse) == expected


def test_a_later_day_read_first_gives_way_to_the_earlier(warehouse: Warehouse, root) -> None:
    later = [signal("s2", event_time=NEXT_TIME)]
    logs = write(root, two_days([signal("s1"), signal("s2")], later))
    ingest(warehouse, logs, NEXT_DAY)
    ingest(warehouse, logs, DAY)
    backwards = hashes(warehouse)
    ingest(warehouse, logs)
    assert hashes(warehouse) == backwards
    counts = select(
        warehouse, "SELECT day, rows_in, rows_out, rows_rejected FROM runs ORDER BY started_at"
    )
    assert counts.rows()[:2] == [(NEXT_DAY, 1, 1, 0), (DAY, 2, 2, 0)]


def test_days_whose_repeats_repeat_nothing_any_more_are_named(
    warehouse: Warehouse, root, caplog: pytest.LogCaptureFixture
) -> None:
    later = [signal("s2", event_time=NEXT_TIME)]
    ingest(warehouse, write(root, two_days([signal("s1"), signal("s2")], later)))
    logs = write(root, two_days([signal("s1")], later))
    with caplog.at_level(logging.WARNING, "adscribe"):
        ingest(warehouse, logs, DAY)
    message = select(warehouse, "SELECT arg_max(message, started_at) FROM runs").item()
    assert message.endswith(f"ingest these days again: {NEXT_DAY}")
    assert message in caplog.messages
    ingest(warehouse, logs, NEXT_DAY)
    replayed = hashes(warehouse)
    assert row_counts(warehouse) == {"signals": 2}
    caplog.clear()
    ingest(warehouse, logs)
    assert hashes(warehouse) == replayed
    assert message not in caplog.messages


def test_a_day_read_again_is_replaced_whole(warehouse: Warehouse, root) -> None:
    files = {
        f"{FOLDER}/signals-1.csv": as_csv([signal("s1"), signal("bad", value=-1)]),
        f"{FOLDER}/signals-2.csv": as_csv([signal("s2")]),
        f"{FOLDER}/touchpoints.csv": as_csv([touch("t1")]),
        f"{NEXT_FOLDER}/signals.csv": as_csv([signal("s3", event_time=NEXT_TIME)]),
        f"{NEXT_FOLDER}/touchpoints.csv": as_csv([touch("t2", event_time=NEXT_TIME)]),
    }
    ingest(warehouse, write(root, files))
    assert row_counts(warehouse) == {"signals": 3, "touchpoints": 2, "rejected_rows": 1}
    del files[f"{FOLDER}/signals-1.csv"]
    files[f"{FOLDER}/touchpoints.csv"] = files[f"{FOLDER}/touchpoints.csv"].splitlines()[0]
    ingest(warehouse, write(root, files), DAY)
    assert row_counts(warehouse) == {"signals": 2, "touchpoints": 1}


def test_a_file_that_went_missing_does_not_empty_its_day(warehouse: Warehouse, root) -> None:
    files = {f"{FOLDER}/signals.csv": as_csv([signal("s1")])}
    files |= {f"{folder}/touchpoints.csv": as_csv([touch("t")]) for folder in (FOLDER, NEXT_FOLDER)}
    ingest(warehouse, write(root, files))
    before = hashes(warehouse)
    del files[f"{FOLDER}/touchpoints.csv"]
    with pytest.raises(InputFileError, match=f"^{FOLDER}: no touchpoints file"):
        ingest(warehouse, write(root, files), DAY)
    assert hashes(warehouse) == before


def test_days_between_those_read_are_left_alone_and_named(
    warehouse: Warehouse, root, caplog: pytest.LogCaptureFixture
) -> None:
    rows = [signal("s1"), signal("s2", event_time=NEXT_TIME), signal("s1", event_time=NEXT_TIME)]
    rows.append(signal("s3", event_time="2026-01-07 10:00:00"))
    ingest(warehouse, write(root, {"signals.csv": as_csv(rows)}))
    assert rules(warehouse) == {"signal_id.repeated": 1}
    logs = write(root, {"signals.csv": as_csv([signal("s0"), *rows[1:]])})
    ingest(warehouse, logs, DAY, date(2026, 1, 7))
    assert any(text.endswith(f"ingest these days again: {NEXT_DAY}") for text in caplog.messages)
    ingest(warehouse, logs, NEXT_DAY)
    piecemeal = hashes(warehouse)
    assert row_counts(warehouse) == {"signals": 4}
    ingest(warehouse, logs)
    assert hashes(warehouse) == piecemeal


def test_costs_keep_their_own_date_in_a_dated_folder(warehouse: Warehouse, root) -> None:
    rows = [
        {"date": "2026-01-04", "campaign_id": "c1", "cost": "1.5"},
        {"date": "2026-01-05", "campaign_id": "c1", "cost": "2"},
        {"date": "2026-01-05", "campaign_id": "c1", "cost": "3"},
    ]
    for ending, writer in WRITERS.items():
        ingest(warehouse, write(root, {f"{FOLDER}/costs{ending}": writer(rows)}))
        stored = select(warehouse, "SELECT date::VARCHAR, cost FROM costs ORDER BY date").rows()
        assert stored == [("2026-01-04", 1.5), ("2026-01-05", 2.0)]
        assert rules(warehouse) == {"date.repeated": 1}


def test_of_a_flat_file_only_the_days_asked_for_are_read(warehouse: Warehouse, root) -> None:
    rows = [
        signal("s1"), signal("s2", event_time=NEXT_TIME), signal("s3", value=-1),
        signal("s4", event_time=NEXT_TIME, value=-1), signal("s5", event_time="never"),
    ]  # fmt: skip
    logs = write(root, {"signals.csv": as_csv([{"value": "", **row} for row in rows])})
    ingest(warehouse, logs, DAY)
    assert row_counts(warehouse) == {"signals": 1, "rejected_rows": 2}
    ingest(warehouse, logs, NEXT_DAY)
    assert row_counts(warehouse) == {"signals": 2, "rejected_rows": 3}
    separately = hashes(warehouse)
    ingest(warehouse, logs)
    assert hashes(warehouse) == separately
    assert accounted_for(warehouse) == len(rows)


def test_copies_of_a_row_beyond_a_batch_are_one_row_and_the_rest_is_refused(
    warehouse: Warehouse, root
) -> None:
    head, line = as_csv([signal("s1")]).splitlines(keepends=True)
    ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": head + line * 600_000}))
    assert row_counts(warehouse) == {"signals": 1, "rejected_rows": 599_999}
    kept = select(warehouse, "SELECT source_row FROM signals").item()
    assert kept == 2


def test_more_bad_rows_than_are_held_at_once_are_all_kept(warehouse: Warehouse, root) -> None:
    head, line = as_csv([signal("s1", event_time="never")]).splitlines(keepends=True)
    last = as_csv([signal("s2")]).splitlines(keepends=True)[1]
    ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": head + line * 700_000 + last}))
    assert row_counts(warehouse) == {"signals": 1, "rejected_rows": 700_000}


@pytest.mark.parametrize("writer", [as_csv, as_json_lines, as_parquet])
def test_columns_can_be_mapped(warehouse: Warehouse, root, writer) -> None:
    names = {"signal_id": "event id", "city": "a/b~c", "advertiser_id": "event_name"}
    rows = [{"event id": "s1", "a/b~c": "Bern", "event_time": NEXT_TIME, "event_name": "view"}]
    ending = next(ending for ending, one in WRITERS.items() if one is writer)
    logs = write(root, {f"{NEXT_FOLDER}/signals{ending}": writer(rows)})
    ingest(warehouse, logs, config=Config(columns={"signals": names}))
    stored = select(warehouse, "SELECT signal_id, city, advertiser_id, event_name FROM signals")
    assert stored.rows() == [("s1", "Bern", "view", "view")]


@given(
    values=st.lists(
        st.tuples(
            st.sampled_from(["s1", "s2", "s3", " s3", "S3", ""]),
            st.sampled_from(["1", "-1", "nan", "", "1e300", "9" * 30]),
            st.sampled_from(["2026-01-05", "2026-01-06", "1970-01-01", "x", ""]),
        ),
        min_size=1,
        max_size=12,
    )
)
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_in_are_rows_out_and_rows_rejected(
    warehouse: Warehouse, root, values: list[tuple[str, str, str]]
) -> None:
    rows = [signal(i, value=value, event_time=time) for i, value, time in values]
    ingest(warehouse, write(root, {f"{FOLDER}/signals.csv": as_csv(rows)}))
    last = select(
        warehouse,
        "SELECT rows_in, rows_out, rows_rejected FROM runs ORDER BY started_at DESC LIMIT 1",
    )
    rows_in, rows_out, rows_rejected = last.row(0)
    assert rows_in == rows_out + rows_rejected == len(rows) == accounted_for(warehouse)
    assert rows_out == row_counts(warehouse).get("signals", 0)


@pytest.mark.parametrize(
    ("needed", "kept"), [("not_denied", ["granted", "not_told"]), ("granted", ["granted"])]
)
def test_a_signal_without_consent_leaves_nothing_that_tells_a_person(
    warehouse: Warehouse, root, needed: str, kept: list[str]
) -> None:
    person = {"email": "jane@shop.com", "cookie_id": "c1", "ip": "11.2.3.4", "url": "x.example"}
    person |= {"user_agent": "Mozilla/5.0", "city": "Bern", "country": "CH"}
    rows = [
        signal("denied", consent="denied", **person),
        signal("granted", consent="granted", **person),
        signal("not_told", consent="", **person),
    ]
    logs = write(root, {f"{FOLDER}/signals.csv": as_csv(rows)})
    config = Config(privacy={"consent": needed, "keep_addresses_days": 1})
    ingest(warehouse, logs, config=config)
    columns = "ip, address_digest, network_digest, network_scope, url, user_agent, city"
    stored = select(warehouse, f"SELECT signal_id, {columns} FROM signals").rows()  # noqa: S608
    for signal_id, *told in stored:
        expected = len(told) if signal_id in kept else 0
        assert sum(value is not None for value in told) == expected
    identifiers = select(warehouse, "SELECT signal_id, kind FROM signal_identifiers").rows()
    assert sorted(identifiers) == [(name, kind) for name in kept for kind in ("cookie_id", "email")]
    assert select(warehouse, "SELECT DISTINCT country FROM signals").rows() == [("CH",)]
