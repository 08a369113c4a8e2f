"""What a signal does not show, others of its order may: a pixel and its server twin as one."""

from datetime import datetime, timedelta

import pytest

from tests.matching.tiny_worlds import DAY, FIRST, Row, World, make_world, store, told_signals
from warehouse.database import Warehouse

NETWORK: Row = {"address_digest": 1, "network_digest": 2, "site_digest": 3}
DEVICE: Row = {"device_key": "d", "user_agent": "a", "os": "iOS", "browser_major": 7}
REST: Row = {"screen": "s", "language": "en", "timezone": "x", "country": "US", "city": "A"}
LOOK: Row = {**NETWORK, **DEVICE, **REST}
NOTHING: Row = dict.fromkeys(LOOK)


def signal(name: str, look: Row, *, hour: int = 12, **other: object) -> Row:
    """Return a signal of an order; of s1 all tests ask what it is said to show."""
    day = other.get("day", DAY)
    moment = datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001
    own = {"signal_id": name, "advertiser_id": "a", "order_id": "o", "day": day}
    return {**own, "event_time": moment, **NOTHING, **look, **other}


def shown(warehouse: Warehouse, *signals: Row) -> Row:
    """Return all tokens of s1, which alone looks for candidates."""
    warehouse._connection.execute("DELETE FROM signals")
    store(warehouse, World(signals=list(signals)), ["s1"])
    warehouse.execute("matching/identified_signals", first_day=FIRST, last_day=DAY)
    warehouse.execute("matching/order_sights", first_day=FIRST, last_day=DAY)
    warehouse.execute("matching/sightings")
    warehouse.execute("matching/model_signals", day=DAY)
    (row,) = warehouse._connection.table("model_signals").pl().to_dicts()
    return row


@pytest.mark.parametrize(
    "missing",
    [{"screen"}, {"language"}, {"timezone"}, {"country", "city"}, set(NETWORK), set(DEVICE)],
    ids=lambda names: min(names),
)
def test_what_a_signal_does_not_show_others_of_its_order_do(
    warehouse: Warehouse, missing: set[str]
) -> None:
    bare = signal("s1", {name: value for name, value in LOOK.items() if name not in missing})
    whole = shown(warehouse, signal("s1", LOOK))
    assert shown(warehouse, bare) != whole
    assert shown(warehouse, bare, signal("s2", LOOK)) == whole


def test_what_a_signal_shows_itself_stays(warehouse: Warehouse) -> None:
    own = signal("s1", LOOK)
    other = {
        name: value + 1 if isinstance(value, int) else f"other {value}"
        for name, value in LOOK.items()
    }
    assert shown(warehouse, own, signal("s0", other, hour=1)) == shown(warehouse, own)


def test_address_network_and_site_are_of_one_signal(warehouse: Warehouse) -> None:
    bare = signal("s1", {**DEVICE, **REST})
    first = {"address_digest": None, "network_digest": 5, "site_digest": None}
    told = shown(warehouse, bare, signal("s2", NETWORK, hour=2), signal("s3", first, hour=1))
    assert told == shown(warehouse, signal("s1", {**DEVICE, **REST, **first}))


def test_device_agent_system_and_version_are_of_one_signal(warehouse: Warehouse) -> None:
    bare = signal("s1", {**NETWORK, **REST, "user_agent": "a library"})
    first = {"device_key": "e", "user_agent": "b", "os": None, "browser_major": None}
    told = shown(warehouse, bare, signal("s2", DEVICE, hour=2), signal("s3", first, hour=1))
    assert told == shown(warehouse, signal("s1", {**NETWORK, **REST, **first}))


def test_a_country_without_a_town_gives_way_to_a_town(warehouse: Warehouse) -> None:
    bare = signal("s1", {**LOOK, "country": "DE", "city": None})
    others = [signal("s2", {"city": "B"}, hour=1), signal("s3", {"country": "US", "city": "A"})]
    assert shown(warehouse, bare, *others) == shown(warehouse, signal("s1", LOOK))


def test_an_agent_that_names_no_device_stays_where_no_signal_of_the_order_names_one(
    warehouse: Warehouse,
) -> None:
    bare = signal("s1", {**NETWORK, "user_agent": "a library"})
    assert shown(warehouse, bare, signal("s2", NETWORK)) == shown(warehouse, bare)


def test_the_earliest_signal_that_shows_it_wins_and_of_one_time_the_first_name(
    warehouse: Warehouse,
) -> None:
    bare = signal("s1", NETWORK)
    others = [
        signal("s4", {"screen": "late"}, hour=13),
        signal("s3", {"screen": "early"}, hour=11),
        signal("s2", {"language": "en"}, hour=10),
        signal("s9", {"timezone": "y"}, hour=9),
        signal("s8", {"timezone": "x"}, hour=9),
    ]
    expected = {**NETWORK, "screen": "early", "language": "en", "timezone": "x"}
    for given in (others, others[::-1]):
        assert shown(warehouse, bare, *given) == shown(warehouse, signal("s1", expected))


def test_a_signal_may_be_told_by_one_that_is_made_later_on_its_log_day(
    warehouse: Warehouse,
) -> None:
    bare, late = signal("s1", NETWORK, hour=1), signal("s2", LOOK, hour=23)
    assert shown(warehouse, bare, late) == shown(warehouse, signal("s1", LOOK, hour=1))


@pytest.mark.parametrize(
    "other",
    [
        {"advertiser_id": "b"},
        {"order_id": "p"},
        {"order_id": None},
        {"day": DAY + timedelta(days=1)},
        {"day": FIRST - timedelta(days=1)},
        {"is_bot": True},
    ],
    ids=["advertiser", "order", "no order", "later log day", "outside the lookback", "bot"],
)
def test_a_signal_is_told_nothing_by(warehouse: Warehouse, other: Row) -> None:
    bare = signal("s1", NETWORK)
    unlike = signal("s2", LOOK, **other)
    assert shown(warehouse, bare, unlike) == shown(warehouse, bare)
    of_the_first_day = signal("s3", LOOK, day=FIRST)
    assert shown(warehouse, bare, unlike, of_the_first_day) == shown(warehouse, signal("s1", LOOK))


def test_signals_without_an_order_tell_each_other_nothing(warehouse: Warehouse) -> None:
    bare = signal("s1", NETWORK, order_id=None)
    assert shown(warehouse, bare, signal("s2", LOOK, order_id=None)) == shown(warehouse, bare)


def test_a_signal_without_address_and_agent_is_left_alone(warehouse: Warehouse) -> None:
    bare, other = signal("s1", {}), signal("s2", LOOK)  # as of somebody who gave no consent
    told = shown(warehouse, bare, other)
    assert told == shown(warehouse, bare)
    assert told["purchase"] is None
    for enough in (NETWORK, {"user_agent": "a library"}):
        assert shown(warehouse, signal("s1", enough), other) == shown(warehouse, signal("s1", LOOK))


def test_orders_tell_much_in_the_tiny_worlds() -> None:
    world = make_world(5, signals=48)
    told = [new for new, old in zip(told_signals(world), world.signals, strict=True) if new != old]
    assert len(told) > 5
