"""Features of a pair are what both sides share, and nothing of ads; a twin counts the same."""

import math
import random
from itertools import pairwise

import polars as pl
import pytest
import sqlglot
from sqlglot import exp

from matching import comparisons
from matching.blocking import find_candidates
from matching.comparisons import DIRECTIONS, FEATURES, compare_pairs
from tests.matching.tiny_worlds import (
    DAY,
    LOOKBACK,
    TOKEN_KINDS,
    Row,
    World,
    looking,
    make_world,
    microseconds,
    observations,
    store,
    tokens,
)
from warehouse.config import ModelConfig
from warehouse.database import Warehouse, statement, statements

HOUR_US = 3_600_000_000
KEYS = {"signal_id", "user_id", "day", "advertiser_id", "email_same", "phone_same"}
GAPS_OF = (
    "address", "network", "device", "address_device", "network_screen", "network_device",
    "agent_place",
)  # fmt: skip
USERS_OF = (
    "address", "network", "device", "agent", "screen", "place", "address_device",
    "network_screen", "agent_place",
)  # fmt: skip
CANDIDATES_OF = ("address", "address_device", "network_screen", "screen")
SHARES_OF = ("address", "address_device", "network_screen", "network", "device")


def compare(warehouse: Warehouse, world: World) -> pl.DataFrame:
    store(warehouse, world)
    find_candidates(warehouse, DAY, ModelConfig(lookback_days=LOOKBACK))
    return compare_pairs(warehouse)


def traits(row: Row) -> dict[str, object]:
    """Return all that two sightings are compared by."""
    moment, system = row["event_time"], row["os"]
    part = moment.hour // 3 + 8 * (moment.isoweekday() > 5)
    shown = {**tokens(row), "week_part": part}
    if system is not None:
        shown |= {"system": system, "form": system in ("iOS", "Android")}
    return shown


def twin(world: World, pairs: set[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Return the features of candidate pairs, of users with activity."""
    seen = observations(world)
    active = {row["user_id"] for row in seen if "signal_id" not in row}
    features: dict[tuple[str, str], Row] = {}
    for signal in looking(world):
        name = str(signal["signal_id"])
        others = [row for row in seen if row.get("signal_id") != name]
        own = {
            user: pair_of(signal, [row for row in others if row["user_id"] == user])
            | crowds_of(signal, others)
            for key, user in pairs
            if key == name and user in active
        }
        for user, row in own.items():
            row["shared_rarity"] = sum(
                math.log(len(active) / users_of(signal, others, kind))
                for kind in TOKEN_KINDS
                if row[f"{kind}_count"]
            )
            row |= habits_of(signal, [r for r in seen if r["user_id"] == user], row)
        compete(own)
        features |= {(name, user): row for user, row in own.items()}
    return features


def pair_of(signal: Row, seen: list[Row]) -> Row:
    """Return what is shared with one user, and how far away in time."""
    wanted, row = traits(signal), {}
    for kind in (*TOKEN_KINDS, "week_part", "system", "form"):
        same = [r for r in seen if kind in wanted and traits(r).get(kind) == wanted[kind]]
        gaps = [abs(microseconds(r) - microseconds(signal)) / HOUR_US for r in same]
        row[f"{kind}_count"] = len(same)
        if kind in GAPS_OF:
            row[f"{kind}_gap_hours"] = min(gaps, default=None)
        if kind == "device":
            versions = [r["browser_major"] for r in same if r["browser_major"] is not None]
            row["version_ahead"] = signal["browser_major"] - max(versions) if versions else None
    elsewhere = [
        abs(microseconds(r) - microseconds(signal)) / HOUR_US
        for r in seen
        if None not in (signal["network_digest"], r["network_digest"])
        and r["network_digest"] != signal["network_digest"]
    ]
    return row | {"elsewhere_gap_hours": min(elsewhere, default=None)}


def users_of(signal: Row, others: list[Row], kind: str) -> int | None:
    token = tokens(signal).get(kind)
    return len({r["user_id"] for r in others if token and tokens(r).get(kind) == token}) or None


def crowds_of(signal: Row, others: list[Row]) -> Row:
    return {f"{kind}_users": users_of(signal, others, kind) for kind in USERS_OF}


def habits_of(signal: Row, seen: list[Row], shared: Row) -> Row:
    """Return how much was seen of a user, and what share of it is alike; `seen` of all days."""
    own = [row for row in seen if "signal_id" not in row]
    last = max(microseconds(row) for row in own)
    uses = ("address", "network", "device", "system", "form", "week_part")
    columns = {"address": "address_digest", "device": "device_key"}
    return {
        "user_observations": len(own),
        "user_days": len({row["day"] for row in own}),
        **{
            f"user_{kind}{'es' if kind == 'address' else 's'}": len(
                {row[column] for row in own} - {None}
            )
            for kind, column in columns.items()
        },
        **{f"{kind}_use": shared[f"{kind}_count"] / len(own) for kind in uses},
        "user_idle_hours": (microseconds(signal) - last) / HOUR_US,
        **{f"has_{kind}": kind in tokens(signal)
           for kind in ("address", "site", "device", "screen", "language")},
    }  # fmt: skip


def compete(rows: dict[str, Row]) -> None:
    """Add how each user stands among all."""
    rarities = [row["shared_rarity"] for row in rows.values()]
    totals = {kind: sum(row[f"{kind}_count"] for row in rows.values()) for kind in SHARES_OF}
    for row in rows.values():
        row["candidates"] = len(rows)
        for kind in CANDIDATES_OF:
            row[f"{kind}_candidates"] = sum(other[f"{kind}_count"] > 0 for other in rows.values())
        for kind in SHARES_OF:
            row[f"{kind}_share"] = totals[kind] and row[f"{kind}_count"] / totals[kind]
        row["rarity_behind"] = row["shared_rarity"] - max(rarities)


def test_parts_give_the_features_of_the_whole(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = compare(warehouse, make_world(3))
    assert whole["signal_id"].n_unique() > 2
    monkeypatch.setattr(comparisons, "_PAIRS_AT_ONCE", 2)
    assert compare_pairs(warehouse).equals(whole)


def test_features_are_those_of_the_twin(warehouse: Warehouse) -> None:
    world = make_world(5, users=15, observations=100, signals=48)
    pairs = compare(warehouse, world)
    stored = set(warehouse._connection.table("candidate_pairs").pl().rows())
    expected = twin(world, stored)
    assert len(pairs) == len(expected) > 20
    for row in pairs.to_dicts():
        wanted = expected[row["signal_id"], row["user_id"]]
        for name in set(FEATURES) - {"rarity_rank"}:
            told = wanted[name]
            near = None if told is None else pytest.approx(float(told), rel=1e-6, abs=1e-5)
            assert row[name] == near, (name, row)
    # of a feature in which no pair differs the twin would not be asked
    assert {name for name in FEATURES if pairs[name].n_unique() == 1} == set()


def test_ranks_follow_the_rarity_of_what_is_shared(warehouse: Warehouse) -> None:
    pairs = compare(warehouse, make_world(5))
    for _, own in pairs.group_by("signal_id"):
        by_rarity = own.sort("shared_rarity", "rarity_rank", descending=[True, False]).rows(
            named=True
        )
        assert by_rarity[0]["rarity_rank"] == 1
        for place, (better, worse) in enumerate(pairwise(by_rarity), start=2):
            tied = math.isclose(better["shared_rarity"], worse["shared_rarity"], abs_tol=1e-5)
            assert worse["rarity_rank"] in ((better["rarity_rank"], place) if tied else (place,))


def test_contacts_are_compared_where_both_sides_show_one(warehouse: Warehouse) -> None:
    world = make_world(8)
    pairs = compare(warehouse, world)
    met = set()
    for row in pairs.to_dicts():
        for kind in ("email", "phone"):
            told = {
                said["digest"]
                for said in world.signal_identifiers
                if (said["signal_id"], said["kind"]) == (row["signal_id"], kind)
            }
            known = {
                seen[f"{kind}_digest"]
                for seen in observations(world)
                if seen["user_id"] == row["user_id"] and "signal_id" not in seen
            } - {None}
            expected = int(bool(told & known)) if told and known else None
            assert row[f"{kind}_same"] == expected
            met.add(expected)
    assert met == {None, 0, 1}


def test_a_pair_has_its_features_its_keys_and_nothing_else(warehouse: Warehouse) -> None:
    pairs = compare(warehouse, make_world(6))
    assert set(pairs.columns) - KEYS == set(FEATURES)
    assert len(set(FEATURES)) == len(FEATURES)
    assert set(DIRECTIONS) <= set(FEATURES)
    assert pairs.select("signal_id", "user_id").is_unique().all()
    assert pairs.equals(pairs.sort("signal_id", "user_id"))
    assert all(dtype.is_numeric() or dtype == pl.Boolean
               for name, dtype in pairs.schema.items() if name in FEATURES)  # fmt: skip


def test_features_hide_the_contacts(warehouse: Warehouse) -> None:
    world, rng = make_world(9), random.Random(1)  # noqa: S311
    before = compare(warehouse, world).select("signal_id", "user_id", *FEATURES)
    for row in world.activity:
        row |= {"email_digest": rng.randrange(1, 9), "phone_digest": None}
    for table in ("activity", "signals", "signal_identifiers", "identity_links"):
        warehouse._connection.execute(f"DELETE FROM {table}")  # noqa: S608
    assert compare(warehouse, world).select("signal_id", "user_id", *FEATURES).equals(before)


def test_no_statement_of_the_chain_reads_touchpoints(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    executed = []
    for method in ("execute", "query"):
        plain = getattr(Warehouse, method)

        def noted(self: Warehouse, name: str, /, *, _plain=plain, **values: object) -> object:
            executed.append(name)
            return _plain(self, name, **values)

        monkeypatch.setattr(Warehouse, method, noted)
    compare(warehouse, make_world(1))
    monkeypatch.undo()

    assert {"matching/blocking_keys", "matching/compared_activity"} <= set(executed)
    reads: set[str] = set()
    for name in executed:
        reads |= tables_read(sqlglot.parse_one(statement(name), read="duckdb"))
    views, makers = stored_views(), {makes(name): name for name in executed}
    waiting, leaves = reads, set()
    while waiting:
        table = waiting.pop()
        if table in views:
            waiting |= tables_read(views[table])
        elif table not in makers:  # what the chain itself makes is among the executed
            leaves.add(table)
    assert leaves == {
        "activity", "signals", "signal_identifiers", "identity_links",  # the log, but for ads
        # and what Python hands over
        "chosen_signals", "blocking_kinds", "bands", "compared_signals", "compared_users",
    }  # fmt: skip


def makes(name: str) -> str | None:
    tree = sqlglot.parse_one(statement(name), read="duckdb")
    table = tree.find(exp.Table) if isinstance(tree, exp.Create) else None
    return table and table.name


def tables_read(tree: exp.Expression) -> set[str]:
    defined = {cte.alias for cte in tree.find_all(exp.CTE)}
    target = tree.find(exp.Table) if isinstance(tree, exp.Insert | exp.Create) else None
    found = {table.name for table in tree.find_all(exp.Table) if table is not target}
    return {name for name in found if name} - defined


def stored_views() -> dict[str, exp.Expression]:
    """Return the views of the schema, by name."""
    views = {}
    for file in statements("schema"):
        for tree in sqlglot.parse(statement(f"schema/{file}"), read="duckdb"):
            if isinstance(tree, exp.Create) and tree.kind == "VIEW":
                views[tree.find(exp.Table).name] = tree
    assert "touchpoints" in tables_read(views["identifiers_seen"])
    return views
