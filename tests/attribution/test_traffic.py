"""Laws of invalid traffic; a plain Python twin of its rules is the oracle."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.traffic import find_invalid_conversions, update_invalid_traffic
from warehouse.attribution_config import TrafficRules
from warehouse.database import Warehouse

FIRST_DAY = date(2026, 3, 1)
START = datetime(2026, 3, 1)  # noqa: DTZ001 -- stored times are UTC without saying so
DAYS = [FIRST_DAY + timedelta(days=n) for n in range(3)]
RULES = TrafficRules(bot_share=0.5, clicks_per_hour=2, creator_clicks=3, creator_click_rate=0.5)
Rows = Sequence[Mapping[str, object]]


def _insert(warehouse: Warehouse, table: str, rows: Rows) -> None:
    """Store rows, with defaults for what they leave out."""
    if not rows:
        return
    with warehouse.frame("given", pl.DataFrame(list(rows), infer_schema_length=None)):
        warehouse._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def _read(warehouse: Warehouse, query: str) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = warehouse._connection.sql(query).fetchall()
    return rows


def _observation(user_id: str, *, day: date = FIRST_DAY, **values: object) -> dict[str, object]:
    seen = {"day": day, "user_id": user_id, "event_time": START}
    return {**seen, "is_bot": None, "network_scope": None, **values}


def _touch(touch_id: str, *, day: date = FIRST_DAY, **values: object) -> dict[str, object]:
    return {
        "day": day,
        "touch_id": touch_id,
        "event_time": START,
        "user_id": "u1",
        "kind": "click",
        "advertiser_id": "a1",
        "campaign_id": "c1",
        "creator_id": None,
        "arm": None,
        "source_file": "f",
        "source_row": 1,
        **values,
    }


def _results(warehouse: Warehouse) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    touches = _read(warehouse, "SELECT day, touch_id, reason FROM invalid_touches ORDER BY ALL")
    return touches, _read(warehouse, "SELECT user_id, reason FROM invalid_users ORDER BY ALL")


def _changed(warehouse: Warehouse) -> list[object]:
    rows = _read(warehouse, "SELECT user_id FROM changed_invalid_users ORDER BY user_id")
    return [user_id for (user_id,) in rows]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path_factory.mktemp("traffic") / "w.duckdb") as warehouse:
        yield warehouse


@contextmanager
def _emptied(opened: Warehouse) -> Iterator[Warehouse]:
    """Yield a warehouse without rows; what is written is undone."""
    opened._connection.execute("BEGIN TRANSACTION")
    try:
        yield opened
    finally:
        opened._connection.execute("ROLLBACK")


@pytest.fixture
def warehouse(opened: Warehouse) -> Iterator[Warehouse]:
    with _emptied(opened) as emptied:
        yield emptied


def _twin_touches(touches: Rows, rules: TrafficRules) -> list[tuple[object, ...]]:
    """Tell the flooded clicks, one log day and one click after the other."""
    counted = [touch for touch in touches if touch["arm"] != "control"]
    clicks = [touch for touch in counted if touch["kind"] == "click"]

    def hour(touch: Mapping[str, object]) -> tuple[object, ...]:
        time = touch["event_time"]
        assert isinstance(time, datetime)
        return touch["day"], touch["user_id"], touch["campaign_id"], time.date(), time.hour

    def creator(touch: Mapping[str, object]) -> tuple[object, ...]:
        return touch["day"], touch["creator_id"]

    in_hour = Counter(map(hour, clicks))
    of_creator = Counter(map(creator, clicks))
    shown = Counter(creator(touch) for touch in counted if touch["kind"] == "impression")

    def is_flooded(click: Mapping[str, object]) -> bool:
        if rules.clicks_per_hour is not None and in_hour[hour(click)] > rules.clicks_per_hour:
            return True
        if click["creator_id"] is None or rules.creator_click_rate is None:
            return False
        number = of_creator[creator(click)]
        rate = number / max(shown[creator(click)], 1)
        return number >= rules.creator_clicks and rate > rules.creator_click_rate

    return sorted((c["day"], c["touch_id"], "click_flooding") for c in clicks if is_flooded(c))


def _twin_users(activity: Rows, rules: TrafficRules) -> list[tuple[object, ...]]:
    """Tell the invalid users, one after the other."""
    found: list[tuple[object, ...]] = []
    for user_id in sorted({str(row["user_id"]) for row in activity}) if rules.bots else ():
        mine = [row for row in activity if row["user_id"] == user_id]
        bots = [row for row in mine if row["is_bot"]]
        machines = [row for row in mine if row["is_bot"] or row["network_scope"] == "data_centre"]
        if len(bots) / len(mine) > rules.bot_share:
            found.append((user_id, "bot"))
        elif len(machines) / len(mine) > rules.bot_share:
            found.append((user_id, "data_centre"))
    return found


def _world(seed: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Draw touches and activity in which every rule has work and every limit is met."""
    draw = Random(seed)  # noqa: S311
    touches = [
        _touch(
            f"t{number}",
            day=draw.choice(DAYS),
            # a row may come late: its log day is not the date of its time
            event_time=START + timedelta(days=draw.randint(0, 1), minutes=draw.randint(0, 119)),
            user_id=f"u{draw.randint(1, 4)}",
            kind=draw.choice(["click", "click", "impression", "engaged_view"]),
            campaign_id=f"c{draw.randint(1, 2)}",
            creator_id=draw.choice([None, "k1", "k2", "k3"]),
            arm=draw.choice([None, "treatment", "control"]),
        )
        for number in range(draw.choice([0, 40, 120]))
    ]
    activity = [
        _observation(
            f"u{draw.randint(1, 6)}",
            day=draw.choice(DAYS),
            is_bot=draw.choice([None, False, True, True]),
            network_scope=draw.choice([None, "public", "carrier_nat", "data_centre"]),
        )
        for _ in range(draw.randint(0, 30))
    ]
    return touches, activity


@given(
    st.integers(0, 10_000),
    st.permutations(DAYS),
    st.builds(
        TrafficRules,
        bots=st.sampled_from([True, True, True, False]),
        bot_share=st.sampled_from([0.0, 0.25, 0.5, 2 / 3, 1.0]),
        clicks_per_hour=st.sampled_from([None, 1, 2, 4]),
        creator_clicks=st.sampled_from([1, 3, 6]),
        creator_click_rate=st.sampled_from([None, 0.5, 1.0, 1.5, 2 / 3]),
    ),
)
@settings(max_examples=40, deadline=None)
def test_any_order_of_days_ends_in_what_the_twin_tells(
    opened: Warehouse, seed: int, order: list[date], rules: TrafficRules
) -> None:
    touches, activity = _world(seed)
    told: dict[object, object] = {}

    with _emptied(opened) as warehouse:
        for day in order:
            _insert(warehouse, "touchpoints", [row for row in touches if row["day"] == day])
            _insert(warehouse, "activity", [row for row in activity if row["day"] == day])
            update_invalid_traffic(warehouse, day, rules)
            now = dict(_results(warehouse)[1])
            different = {user for user in told | now if told.get(user) != now.get(user)}
            assert _changed(warehouse) == sorted(different, key=str)
            told = dict(now)

        assert _results(warehouse) == (_twin_touches(touches, rules), _twin_users(activity, rules))


def test_a_day_done_again_changes_nothing(warehouse: Warehouse) -> None:
    touches, activity = _world(5)
    _insert(warehouse, "touchpoints", [*touches, *(_touch(f"flood_{n}") for n in range(3))])
    _insert(warehouse, "activity", [*activity, _observation("robot", is_bot=True)])
    for day in DAYS:
        update_invalid_traffic(warehouse, day, RULES)
    before = _results(warehouse)

    for day in (*DAYS, date(2026, 4, 1)):
        update_invalid_traffic(warehouse, day, RULES)

        assert _changed(warehouse) == []
        assert _results(warehouse) == before
    assert before[0]
    assert before[1]


def test_a_day_read_again_forgets_what_it_held(warehouse: Warehouse) -> None:
    _insert(warehouse, "touchpoints", [_touch(f"t{number}") for number in range(3)])
    _insert(warehouse, "touchpoints", [_touch(f"t{n}", day=DAYS[1]) for n in range(3)])
    _insert(warehouse, "activity", [_observation("u1", is_bot=True)])
    for day in DAYS:
        update_invalid_traffic(warehouse, day, RULES)
    for table in ("touchpoints", "activity"):
        warehouse.execute(f"ingest/delete_{table}", days=[FIRST_DAY])

    update_invalid_traffic(warehouse, FIRST_DAY, RULES)

    kept = [(DAYS[1], f"t{number}", "click_flooding") for number in range(3)]
    assert _results(warehouse) == (kept, [])
    assert _changed(warehouse) == ["u1"]


def test_a_user_turns_person_as_more_of_him_is_seen(warehouse: Warehouse) -> None:
    _insert(warehouse, "activity", [_observation("u1", is_bot=True)])
    _insert(warehouse, "activity", [_observation("u2", network_scope="data_centre")])
    update_invalid_traffic(warehouse, FIRST_DAY, RULES)
    assert _results(warehouse)[1] == [("u1", "bot"), ("u2", "data_centre")]
    assert _changed(warehouse) == ["u1", "u2"]

    _insert(warehouse, "activity", [_observation("u1", day=DAYS[1], is_bot=False)])
    update_invalid_traffic(warehouse, DAYS[1], RULES)

    assert _results(warehouse)[1] == [("u2", "data_centre")]
    assert _changed(warehouse) == ["u1"]


def test_clicks_of_an_hour_are_counted_within_their_log_day(warehouse: Warehouse) -> None:
    late = [_touch(f"late_{n}", day=DAYS[1], event_time=START) for n in range(2)]
    _insert(warehouse, "touchpoints", [*late, *(_touch(f"t{number}") for number in range(2))])

    for day in DAYS:
        update_invalid_traffic(warehouse, day, RULES)

    assert _results(warehouse)[0] == []


@pytest.mark.parametrize(
    ("bots", "expected"),
    [
        (True, [("s_bot", "bot"), ("s_both", "bot"), ("s_centre", "data_centre")]),
        (False, [("s_both", "data_centre"), ("s_centre", "data_centre")]),
    ],
)
def test_a_conversion_is_what_its_first_signal_is(
    warehouse: Warehouse, signals: Callable[[Rows], None], bots: bool, expected: object
) -> None:
    signals(
        [
            {"signal_id": "s_bot", "is_bot": True, "network_scope": None},
            {"signal_id": "s_both", "is_bot": True, "network_scope": "data_centre"},
            {"signal_id": "s_centre", "is_bot": None, "network_scope": "data_centre"},
            {"signal_id": "s_person", "is_bot": False, "network_scope": "public"},
            {"signal_id": "s_denied", "is_bot": None, "network_scope": None},
        ]
    )

    find_invalid_conversions(warehouse, TrafficRules(bots=bots))

    found = _read(warehouse, "SELECT conversion_id, reason FROM invalid_conversions ORDER BY ALL")
    assert found == expected


@pytest.fixture
def signals(warehouse: Warehouse) -> Callable[[Rows], None]:
    """Return what stores signals as the first and only ones of conversions at work."""

    def store(rows: Rows) -> None:
        common = {"day": FIRST_DAY, "advertiser_id": "a1", "event_name": "purchase"}
        logged = {"event_time": START, "source_file": "f", "source_row": 1}
        _insert(warehouse, "signals", [{**common, **logged, **row} for row in rows])
        roles = [
            {**common, "signal_id": row["signal_id"], "conversion_id": row["signal_id"]}
            for row in rows
        ]
        _insert(warehouse, "conversion_signals", [{**role, "role": "first"} for role in roles])
        warehouse._connection.execute(
            "CREATE TEMP TABLE work_conversions AS SELECT conversion_id FROM conversion_signals"
        )

    return store
