"""Candidates are the users of a signal's rarest tokens, within its budget; as in a twin."""

from collections import Counter, defaultdict
from datetime import timedelta

import polars as pl
import pytest

from matching.blocking import WEIGHTS, find_candidates
from tests.matching.tiny_worlds import (
    DAY,
    LOOKBACK,
    Row,
    World,
    identified,
    looking,
    make_world,
    observations,
    store,
    tokens,
)
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

NAMED = [{"signal_id": "s0", "day": DAY, "kind": "email", "digest": 1}]
LINKS = [
    {"kind": "email", "digest": 1, "user_id": "u1", "source": "activity",
     "first_day": DAY, "last_day": DAY}
]  # fmt: skip
"""An e-mail that names user u1 in signal s0."""
AT_NOON = {"day": DAY, "event_time": f"{DAY} 12:00:00"}


def block(warehouse: Warehouse, world: World, budget: int = 40) -> None:
    store(warehouse, world)
    find_candidates(warehouse, DAY, ModelConfig(lookback_days=LOOKBACK, candidates=budget))


def table(warehouse: Warehouse, name: str) -> pl.DataFrame:
    frame: pl.DataFrame = warehouse._connection.table(name).pl()
    return frame


def candidates(warehouse: Warehouse) -> set[tuple[str, str]]:
    return set(table(warehouse, "candidate_pairs").rows())


def holders(world: World) -> dict[tuple[str, tuple], dict[object, list[object]]]:
    """Return for each (kind, token) its users, and of each the signals or None that showed it."""
    found: dict = defaultdict(lambda: defaultdict(list))
    for row in observations(world):
        for kind, token in tokens(row).items():
            found[kind, token][row["user_id"]].append(row.get("signal_id"))
    return found


def keys_of(
    world: World, warehouse: Warehouse, budget: int
) -> dict[str, list[tuple[str, int, int, bool]]]:
    """Return the (kind, band, users, used) of each signal, in the order in which they are tried.

    Buckets are taken from the warehouse; test_bands.py is about those.
    """
    held = holders(world)
    crowds = Counter(table(warehouse, "user_bands").select("band", "bucket").rows())
    own: dict = defaultdict(list)
    for signal, band, bucket in table(warehouse, "signal_bands").rows():
        own[signal].append((band, bucket))
    chosen = {}
    for signal in looking(world):
        keys = [
            (kind, 0, len(held[kind, token]))
            for kind, token in tokens(signal).items()
            if kind in WEIGHTS and (kind, token) in held
        ]
        keys += [
            ("band", band, crowds[band, bucket])
            for band, bucket in own[signal["signal_id"]]
            if crowds[band, bucket]
        ]
        keys.sort(key=lambda key: (key[2] / WEIGHTS[key[0]], key[0], key[1]))
        total, tried = 0, []
        for kind, band, users in keys:
            total += users
            tried.append((kind, band, users, total <= budget))
        chosen[str(signal["signal_id"])] = tried
    return chosen


@pytest.mark.parametrize(("seed", "budget"), [(0, 2), (1, 9)])
def test_the_rarest_keys_are_taken_until_the_budget_is_spent(
    warehouse: Warehouse, seed: int, budget: int
) -> None:
    world = make_world(seed)
    block(warehouse, world, budget)
    stored = table(warehouse, "blocking_keys")
    expected = {
        (signal, *key) for signal, keys in keys_of(world, warehouse, budget).items() for key in keys
    }
    assert set(stored.select("signal_id", "kind", "band", "users", "used").rows()) == expected
    assert len(stored) == len(expected)
    assert len({used for *_, used in expected}) == 2


@pytest.mark.parametrize(("seed", "budget"), [(0, 6), (1, 40)])
def test_candidates_are_the_users_of_the_keys_taken(
    warehouse: Warehouse, seed: int, budget: int
) -> None:
    world = make_world(seed)
    block(warehouse, world, budget)
    held, keys = holders(world), keys_of(world, warehouse, budget)
    of_band = defaultdict(set)
    for user, band, bucket in table(warehouse, "user_bands").rows():
        of_band[band, bucket].add(user)
    own = {row[:2]: row[2] for row in table(warehouse, "signal_bands").rows()}
    expected = set()
    for signal in looking(world):
        name, shown = str(signal["signal_id"]), tokens(signal)
        for kind, band, _, used in keys[name]:
            if used and kind == "band":
                expected |= {(name, user) for user in of_band[band, own[name, band]]}
            elif used:
                users = held[kind, shown[kind]]
                expected |= {(name, user) for user, by in users.items() if by != [name]}
    assert candidates(warehouse) == expected
    assert len(expected) == len(table(warehouse, "candidate_pairs"))
    assert expected


@pytest.mark.parametrize("budget", [1, 1000])
def test_candidates_of_a_signal_never_exceed_the_budget(warehouse: Warehouse, budget: int) -> None:
    block(warehouse, make_world(7, users=60, observations=400), budget)
    per_signal = Counter(signal for signal, _ in candidates(warehouse))
    assert per_signal
    assert max(per_signal.values()) <= budget
    if budget == 1000:
        assert table(warehouse, "blocking_keys")["used"].all()


def test_what_the_budget_drops_is_counted(warehouse: Warehouse) -> None:
    world = make_world(3)
    block(warehouse, world, 6)
    warehouse.execute("matching/insert_blocking_days", day=DAY)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for keys in keys_of(world, warehouse, 6).values():
        for kind, _, users, used in keys:
            for place, amount in enumerate((1, used, not used, users * (not used))):
                counts[kind][place] += amount
    expected = {(DAY, kind, *amounts) for kind, amounts in counts.items()}
    assert set(table(warehouse, "blocking_days").rows()) == expected


def alike(user: str, **other: object) -> Row:
    """Return an observation that looks like the signal s1 in all."""
    return {"user_id": user, **AT_NOON, **LOOK, **other}


LOOK: Row = {
    "address_digest": 1, "network_digest": 2, "device_key": "d", "user_agent": "a", "os": "iOS",
    "screen": "s", "country": "US", "city": "A", "language": "en", "timezone": "x",
}  # fmt: skip
SIGNAL: Row = {"signal_id": "s1", "advertiser_id": "a", "order_id": "o", **AT_NOON, **LOOK}


def test_who_is_seen_later_or_too_early_or_is_a_bot_does_not_compete(warehouse: Warehouse) -> None:
    rows = [
        alike("today"),
        alike("first", day=DAY - timedelta(days=LOOKBACK - 1)),
        alike("early", day=DAY - timedelta(days=LOOKBACK)),
        alike("late", day=DAY + timedelta(days=1)),
        alike("bot", is_bot=True),
    ]
    block(warehouse, World(activity=rows, signals=[SIGNAL]))
    assert candidates(warehouse) == {("s1", "today"), ("s1", "first")}


def test_a_signal_is_no_evidence_of_its_own(warehouse: Warehouse) -> None:
    world = World(
        activity=[alike("u1", **{**dict.fromkeys(LOOK), "city": "elsewhere"})],
        signals=[SIGNAL],
        signal_identifiers=[{"signal_id": "s1", "day": DAY, "kind": "email", "digest": 1}],
        identity_links=[
            {"kind": "email", "digest": 1, "user_id": "u1", "source": "activity",
             "first_day": DAY, "last_day": DAY}
        ],
    )  # fmt: skip
    assert identified(world) == {"s1": "u1"}
    block(warehouse, world)
    assert "u1" in table(warehouse, "user_tokens")["user_id"]
    assert candidates(warehouse) == set()


def test_another_signal_of_the_same_order_is(warehouse: Warehouse) -> None:
    world = World(
        activity=[alike("u1", **{**dict.fromkeys(LOOK), "city": "elsewhere"})],
        signals=[SIGNAL, {**SIGNAL, **dict.fromkeys(LOOK), "signal_id": "s0"}],
        signal_identifiers=NAMED,
        identity_links=LINKS,
    )
    block(warehouse, world)
    assert candidates(warehouse) == {("s1", "u1")}


def test_the_order_of_a_signal_that_shows_nothing_else_brings_nobody(warehouse: Warehouse) -> None:
    bare = {**SIGNAL, **dict.fromkeys(LOOK)}  # as of somebody who gave no consent
    world = World(
        activity=[alike("u1")],
        signals=[bare, {**SIGNAL, "signal_id": "s0"}],
        signal_identifiers=NAMED,
        identity_links=LINKS,
    )
    block(warehouse, world)
    assert not {pair for pair in candidates(warehouse) if pair[0] == "s1"}


def test_candidates_of_a_signal_do_not_hang_on_which_others_look(warehouse: Warehouse) -> None:
    world = make_world(2)
    block(warehouse, world, 6)
    together = candidates(warehouse)
    names = [str(row["signal_id"]) for row in looking(world)]
    alone = set()
    for part in (names[::2], names[1::2]):
        store(warehouse, World(), part)
        config = ModelConfig(lookback_days=LOOKBACK, candidates=6)
        find_candidates(warehouse, DAY, config)
        alone |= candidates(warehouse)
    assert alone == together


def test_a_day_whose_users_were_seen_through_their_signals_only_has_candidates(
    warehouse: Warehouse,
) -> None:
    world = World(
        signals=[SIGNAL, {**SIGNAL, "signal_id": "s0"}],
        signal_identifiers=[{"signal_id": "s0", "day": DAY, "kind": "click_id", "digest": 1}],
        identity_links=[
            {"kind": "click_id", "digest": 1, "user_id": "u1", "source": "touchpoints",
             "first_day": DAY, "last_day": DAY}
        ],
    )  # fmt: skip
    block(warehouse, world)
    assert candidates(warehouse) == {("s1", "u1")}


def test_a_signal_is_not_found_by_what_it_told_another_of_its_order(warehouse: Warehouse) -> None:
    seen = {**SIGNAL, **dict.fromkeys(LOOK), "signal_id": "s0", "user_agent": "another"}
    world = World(
        activity=[alike("u1", **{**dict.fromkeys(LOOK), "city": "elsewhere"})],
        signals=[SIGNAL, seen],
        signal_identifiers=NAMED,
        identity_links=LINKS,
    )
    block(warehouse, world)
    assert candidates(warehouse) == {("s1", "u1")}
    assert set(table(warehouse, "user_tokens").filter(user_id="u1")["kind"]) == {"purchase"}


def test_nobody_competes_by_what_another_signal_that_looks_tells(warehouse: Warehouse) -> None:
    seen = {**SIGNAL, **dict.fromkeys(LOOK), "signal_id": "s0", "user_agent": "another"}
    world = World(
        activity=[alike("u1", **{**dict.fromkeys(LOOK), "city": "elsewhere"})],
        signals=[{**SIGNAL, "order_id": "another"}, seen, {**SIGNAL, "signal_id": "s2"}],
        signal_identifiers=NAMED,
        identity_links=LINKS,
    )
    block(warehouse, world)
    assert candidates(warehouse) == {("s2", "u1")}
