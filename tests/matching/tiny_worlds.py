"""Tiny worlds of random sightings, and what blocking knows of them, in plain Python.

Every alphabet is small, so that tokens are shared, users tie and buckets fill. Sightings lie on the
days around the one that is matched, also after it; some are of bots.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import polars as pl

from warehouse.database import Warehouse

Row = dict[str, object]

DAY: Final = date(2026, 3, 10)
LOOKBACK: Final = 3
FIRST: Final = DAY - timedelta(days=LOOKBACK - 1)
TOKEN_KINDS: Final = (
    "address", "network", "site", "device", "agent", "screen", "place", "language", "timezone",
    "purchase", "network_device", "network_screen", "address_device", "agent_place", "device_place",
)  # fmt: skip
_DAYS: Final = [DAY + timedelta(days=n) for n in (-3, -2, -2, -1, -1, 0, 0, 0, 1)]
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 -- stored times are UTC without saying so
_DIGESTS: Final = ("address_digest", "network_digest", "site_digest")
_CONTACTS: Final = ("email_digest", "phone_digest")
_TOLD_BY_ORDERS: Final = (
    (("network_digest",), ("address_digest", "network_digest", "site_digest")),
    (("device_key",), ("device_key", "user_agent", "os", "browser_major")),
    *(((name,), (name,)) for name in ("screen", "language", "timezone")),
    (("country", "city"), ("country", "city")),
)
"""Columns that show something only together, and those that are of one signal."""


@dataclass
class World:
    """Rows of the tables that blocking reads."""

    activity: list[Row] = field(default_factory=list)
    signals: list[Row] = field(default_factory=list)
    signal_identifiers: list[Row] = field(default_factory=list)
    identity_links: list[Row] = field(default_factory=list)


def make_world(seed: int, *, users: int = 12, observations: int = 60, signals: int = 30) -> World:
    """Return a world; all of its signals of ``DAY`` look for candidates."""
    rng = random.Random(seed)  # noqa: S311
    world = World()
    for _ in range(observations):
        contacts = {name: _some(rng, 4, 0.5) for name in _CONTACTS}
        world.activity.append({"user_id": f"u{rng.randrange(users)}", **_look(rng), **contacts})
    for number in range(signals):
        own = {"signal_id": f"s{number:02d}", "advertiser_id": rng.choice("ab")}
        order = _some(rng, 6, 0.5)
        world.signals.append({**own, "order_id": order and str(order), **_look(rng)})
        for kind in ("email", "phone", "click_id"):
            if rng.random() < 0.3:
                day = world.signals[-1]["day"]
                said = {"kind": kind, "digest": rng.randrange(1, 6), "day": day}
                world.signal_identifiers.append({"signal_id": own["signal_id"], **said})
    for kind in ("email", "phone", "click_id"):
        for digest in range(1, 6):
            for _ in range(rng.randrange(3)):
                first = rng.choice(_DAYS)
                source = rng.choice(["activity", "touchpoints", "signals"])
                user = f"u{rng.randrange(users)}"
                link = {"kind": kind, "digest": digest, "user_id": user, "first_day": first}
                world.identity_links.append({**link, "last_day": first, "source": source})
    return world


def _look(rng: random.Random) -> Row:
    day = rng.choice(_DAYS)
    network = _some(rng, 4, 0.9)
    address = network and rng.random() < 0.8 and 10 * network + rng.randrange(2)
    agent = _some(rng, 4, 0.85)
    device = agent and f"device {agent % 3}"
    return {
        "day": day,
        "event_time": datetime(day.year, day.month, day.day)  # noqa: DTZ001
        + timedelta(seconds=rng.randrange(86_400)),
        "is_bot": rng.choice([None, False, False, False, False, True]),
        "address_digest": address or None,
        "network_digest": network,
        "site_digest": network and (network + 1) // 2 if rng.random() < 0.3 else None,
        "user_agent": agent and f"agent {agent}",
        "device_key": device,
        "os": device and rng.choice(["iOS", "Windows", "Windows", None]),
        "browser_major": agent and 100 + rng.randrange(4),
        "screen": rng.choice([None, "s", "t", "t"]),
        "language": rng.choice([None, "en", "en", "fr"]),
        "timezone": rng.choice([None, "x", "y"]),
        "country": rng.choice([None, "US", "US", "US"]),
        "city": rng.choice([None, "A", "B"]),
    }


def _some(rng: random.Random, count: int, share: float) -> int | None:
    return rng.randrange(1, count + 1) if rng.random() < share else None


def store(warehouse: Warehouse, world: World, chosen: Iterable[str] | None = None) -> None:
    """Put a world into the tables, and let its signals of ``DAY`` look for candidates."""
    needed = {"event_name": "purchase", "source_file": "f", "source_row": 1}
    rows = {
        "activity": [_stored(row) for row in world.activity],
        "signals": [{**needed, **_stored(row)} for row in world.signals],
        "signal_identifiers": [_stored(row) for row in world.signal_identifiers],
        "identity_links": [
            {"observations": 1, "scope": "", **_stored(row)} for row in world.identity_links
        ],
    }
    for table, content in rows.items():
        insert(warehouse, table, content)
    if chosen is None:
        chosen = [str(row["signal_id"]) for row in world.signals if _looks(row)]
    connection = warehouse._connection
    connection.execute("CREATE OR REPLACE TEMP TABLE chosen_signals (signal_id VARCHAR)")
    insert(warehouse, "chosen_signals", [{"signal_id": name} for name in chosen])


def insert(warehouse: Warehouse, table: str, rows: list[Row]) -> None:
    """Insert rows into a table, as far as it has their columns."""
    if not rows:
        return
    connection = warehouse._connection
    known = set(connection.table(table).columns)
    frame = pl.DataFrame(rows, infer_schema_length=None)
    with warehouse.frame("given", frame.select(name for name in frame.columns if name in known)):
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def _stored(row: Row) -> Row:
    digests = (*_DIGESTS, *_CONTACTS, "digest")
    return {k: str(UUID(int=v)) if k in digests and v else v for k, v in row.items()}


def identified(world: World) -> dict[object, object]:
    """Return the user of each signal of the window that its identifiers name without a doubt."""
    users: dict[object, set[object]] = {}
    for said in world.signal_identifiers:
        linked = {
            link["user_id"]
            for link in world.identity_links
            if (link["kind"], link["digest"]) == (said["kind"], said["digest"])
            and link["source"] != "signals"
            and link["first_day"] <= DAY
        }
        if FIRST <= said["day"] <= DAY and len(linked) == 1:
            users.setdefault(said["signal_id"], set()).update(linked)
    return {signal: users.pop() for signal, users in users.items() if len(users) == 1}


def told_signals(world: World) -> list[Row]:
    """Return the signals, with what others of their orders show in place of what they do not."""
    orders = defaultdict(list)
    for row in sorted(world.signals, key=lambda row: (row["event_time"], row["signal_id"])):
        if _counts(row):
            orders[_order(row)].append(row)
    return [_told(row, orders[_order(row)]) if _order(row) else row for row in world.signals]


def _told(row: Row, members: list[Row]) -> Row:
    """Return a signal with what the earliest of its order shows, if it may be compared at all."""
    if row["address_digest"] is None and row["user_agent"] is None:
        return row
    told = dict(row)
    for needed, columns in _TOLD_BY_ORDERS:
        showing = (m for m in (row, *members) if None not in [m[name] for name in needed])
        teller = next(showing, row)
        told |= {name: teller[name] for name in columns}
    return told


def _order(row: Row) -> tuple[object, object] | None:
    return (row["advertiser_id"], row["order_id"]) if row["order_id"] is not None else None


def _looks(row: Row) -> bool:
    return row["day"] == DAY and row.get("is_bot") is not True


def _counts(row: Row) -> bool:
    return FIRST <= row["day"] <= DAY and row.get("is_bot") is not True


def observations(world: World) -> list[Row]:
    """Return what was seen of users up to ``DAY``: activity, and signals that identifiers gave."""
    named = identified(world)
    seen = [
        *world.activity,
        *(
            {**row, "user_id": named[row["signal_id"]]}
            for row in world.signals
            if row["signal_id"] in named
        ),
    ]
    return [row for row in seen if _counts(row)]


def tokens(row: Mapping[str, object]) -> dict[str, tuple[object, ...]]:
    """Return the tokens that a sighting shows, by kind."""
    get = row.get
    town = get("country"), get("city")
    parts = {
        "address": (get("address_digest"),),
        "network": (get("network_digest"),),
        "site": (get("site_digest"),),
        "device": (get("device_key"),),
        "agent": (get("user_agent"),),
        "screen": (get("os"), get("screen")),
        "place": town,
        "language": (get("language"),),
        "timezone": (get("timezone"),),
        "purchase": (get("advertiser_id"), get("order_id")),
        "network_device": (get("network_digest"), get("device_key")),
        "network_screen": (get("network_digest"), get("os"), get("screen")),
        "address_device": (get("address_digest"), get("device_key"), get("screen")),
        "agent_place": (get("user_agent"), get("screen"), *town),
        "device_place": (get("device_key"), get("screen"), *town),
    }
    return {kind: token for kind, token in parts.items() if None not in token}


def looking(world: World) -> list[Row]:
    """Return the signals that look for candidates, as their orders tell them."""
    return [row for row in told_signals(world) if _looks(row)]


def microseconds(row: Row) -> int:
    """Return the time of a sighting."""
    return (row["event_time"] - _EPOCH) // timedelta(microseconds=1)
