"""What becomes of the identifiers and network addresses of a batch."""

import hashlib
from datetime import date

import pytest

from tests.warehouse.folders import (
    DAY,
    FOLDER,
    NEXT_DAY,
    NEXT_FOLDER,
    as_csv,
    as_json_lines,
    ingest,
    select,
    signal,
    touch,
    write,
)
from warehouse.config import Config
from warehouse.database import Warehouse

NEXT_TIME = "2026-01-06 10:00:00"
NOBODY = "00000000-0000-0000-0000-000000000000"
MD5 = hashlib.md5(b"jane@shop.com", usedforsecurity=False).hexdigest()


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def seen(user_id: str, **values: str) -> dict[str, str]:
    return {"user_id": user_id, "event_time": "2026-01-05 10:00:00", **values}


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("email", "test@test.com", "placeholder"),
        ("email", "jane lee@shop.com", "space_inside"),
        ("email", "jane.shop.com", "malformed"),
        ("email", MD5, "unsupported_hash"),
        ("email", sha256(""), "hash_of_nothing"),
        ("email", sha256("test@test.com"), "hash_of_placeholder"),
        ("phone", "+1 000-000-0000", "placeholder"),
        ("phone", "(650) 555-1212", "no_country"),
        ("phone", "+44 20 7946", "impossible_number"),
        ("device_id", NOBODY, "placeholder"),
        ("cookie_id", "null", "placeholder"),
        ("click_id", "undefined", "placeholder"),
        ("external_id", "unknown", "placeholder"),
    ],
)
def test_what_can_be_nobodys_is_kept_as_a_reason_alone(
    warehouse: Warehouse, root, column: str, value: str, reason: str
) -> None:
    rows = [signal("s1", **{column: value}), signal("s2")]
    ingest(warehouse, write(root, {f"{FOLDER}/signals.jsonl": as_json_lines(rows)}))
    kept = select(warehouse, "SELECT * FROM signal_identifiers").rows()
    assert kept == [(DAY, "s1", column, None, None, reason)]


def test_refused_identifiers_of_activity_are_counted_by_reason(warehouse: Warehouse, root) -> None:
    rows = [
        seen("u1", email_sha256=sha256(""), device_id=NOBODY, cookie_id="c1"),
        seen("u2", email_sha256=sha256("test@test.com"), device_id=NOBODY, cookie_id=" NULL "),
        seen("u3", email_sha256=sha256("jane@shop.com"), device_id="d3", cookie_id=""),
    ]
    later = [seen("u1", device_id=NOBODY)]
    files = {f"{FOLDER}/activity.csv": as_csv(rows), f"{NEXT_FOLDER}/activity.csv": as_csv(later)}
    logs = write(root, files)
    query = "SELECT * FROM refused_identifiers ORDER BY ALL"
    for _ in range(2):
        ingest(warehouse, logs)
        assert select(warehouse, query).rows() == [
            (DAY, "activity", "cookie_id", "placeholder", 1),
            (DAY, "activity", "device_id", "placeholder", 2),
            (DAY, "activity", "email", "hash_of_nothing", 1),
            (DAY, "activity", "email", "hash_of_placeholder", 1),
            (NEXT_DAY, "activity", "device_id", "placeholder", 1),
        ]
    used = select(warehouse, "SELECT kind, user_id FROM identifiers_seen ORDER BY ALL").rows()
    assert used == [("cookie_id", "u1"), ("device_id", "u3"), ("email", "u3")]


def test_refused_click_ids_of_touchpoints_are_counted_by_reason(warehouse: Warehouse, root) -> None:
    rows = [touch("t1", click_id="null"), touch("t2", click_id="E.C.P.1"), touch("t3", click_id="")]
    ingest(warehouse, write(root, {f"{FOLDER}/touchpoints.csv": as_csv(rows)}))
    refused = select(warehouse, "SELECT * FROM refused_identifiers").rows()
    assert refused == [(DAY, "touchpoints", "click_id", "placeholder", 1)]
    assert select(warehouse, "SELECT kind FROM identifiers_seen").rows() == [("click_id",)]


def test_identifiers_of_a_signal_refused_as_a_repeat_go_with_it(warehouse: Warehouse, root) -> None:
    first = [signal("s1", email="jane@shop.com"), signal("s1", email="ann@shop.com")]
    later = [
        signal("s1", event_time=NEXT_TIME, email="bob@shop.com"),
        signal("s2", event_time=NEXT_TIME, email="jane@shop.com"),
    ]
    days = {FOLDER: first, NEXT_FOLDER: later}
    logs = write(root, {f"{day}/signals.csv": as_csv(rows) for day, rows in days.items()})
    query = "SELECT signal_id, day, digest FROM signal_identifiers ORDER BY ALL"
    ingest(warehouse, logs, NEXT_DAY)
    assert select(warehouse, query)["signal_id"].to_list() == ["s1", "s2"]
    for order in ((DAY,), (NEXT_DAY,), (DAY, NEXT_DAY)):
        ingest(warehouse, logs, *order)
        (one, first_day, ann), (two, second_day, jane) = select(warehouse, query).rows()
        assert (one, first_day, two, second_day) == ("s1", DAY, "s2", NEXT_DAY)
        assert ann == jane


def test_addresses_in_clear_are_kept_for_the_days_asked_for_only(
    warehouse: Warehouse, root
) -> None:
    days = {
        FOLDER: [signal("s1", ip="8.8.4.4")],
        NEXT_FOLDER: [signal("s2", ip="8.8.8.8", event_time=NEXT_TIME)],
    }
    files = {f"{day}/signals.csv": as_csv(rows) for day, rows in days.items()}
    files[f"{FOLDER}/activity.csv"] = as_csv([seen("u1", ip="8.8.4.4")])
    files[f"{NEXT_FOLDER}/activity.csv"] = as_csv([seen("u2", ip="8.8.8.8")])
    logs = write(root, files)

    def addresses(keep: int | None, *days: date) -> list[tuple[str | None, ...]]:
        config = Config(privacy={"keep_addresses_days": keep})
        ingest(warehouse, logs, *days, config=config)
        query = "SELECT ip FROM {} ORDER BY day"
        tables = [select(warehouse, query.format(name)) for name in ("signals", "activity")]
        return [tuple(table["ip"]) for table in tables]

    assert addresses(2) == [("8.8.4.4", "8.8.8.8")] * 2
    assert addresses(1) == [(None, "8.8.8.8")] * 2
    assert addresses(None, NEXT_DAY) == [(None, None)] * 2
    for name in ("signals", "activity"):
        counts = f"SELECT count(address_digest), count(network_digest) FROM {name}"  # noqa: S608
        assert select(warehouse, counts).row(0) == (2, 2)
