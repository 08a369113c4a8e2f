"""Many tiny worlds side by side in one warehouse, and the daily run over them.

Each world has a few users, advertisers and identifiers, so that identifiers are shared, orders come
again and times tie. Worlds share nothing: a prefix in every name tells which world a row is of.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import polars as pl

from attribution import attribute_day
from matching import match_day
from warehouse.config import AttributionConfig, Config
from warehouse.database import Warehouse
from warehouse.identifiers import IdentifierKey
from warehouse.runs import Run

KEY: Final = IdentifierKey(b"a key for tests only")
DAYS: Final = [date(2026, 3, 1) + timedelta(days=n) for n in range(4)]
# windows of about the length of a world, so that their edges are met
CONFIG: Final = Config(
    attribution=AttributionConfig(
        click_window_hours=48,
        engaged_view_window_hours=24,
        view_window_hours=12,
        dedup_window_hours=24,
    )
)
_COLUMNS: Final = {
    "activity": {
        **dict.fromkeys(("user_id", "email_sha256", "phone_sha256", "device_id"), pl.String),
        **dict.fromkeys(("cookie_id", "ip", "user_agent", "screen", "language"), pl.String),
        **dict.fromkeys(("country", "region", "city", "timezone"), pl.String),
        "event_time": pl.Datetime("us"),
    },
    "touchpoints": {
        **dict.fromkeys(("touch_id", "user_id", "kind", "advertiser_id"), pl.String),
        **dict.fromkeys(("campaign_id", "ad_id", "surface", "creator_id"), pl.String),
        **dict.fromkeys(("click_id", "currency", "arm"), pl.String),
        "event_time": pl.Datetime("us"),
        "cost": pl.Float64,
    },
    "signals": {
        **dict.fromkeys(("signal_id", "advertiser_id", "event_name", "order_id"), pl.String),
        **dict.fromkeys(("currency", "adjustment", "click_id", "cookie_id"), pl.String),
        **dict.fromkeys(("device_id", "external_id", "email", "phone"), pl.String),
        **dict.fromkeys(("ip", "user_agent", "screen", "language", "country"), pl.String),
        **dict.fromkeys(("region", "city", "timezone", "url", "consent"), pl.String),
        "event_time": pl.Datetime("us"),
        "received_time": pl.Datetime("us"),
        "value": pl.Float64,
    },
}  # fmt: skip


@dataclass
class Day:
    """The logs of one day, a list of rows for each table."""

    activity: list[dict[str, object]] = field(default_factory=list)
    touchpoints: list[dict[str, object]] = field(default_factory=list)
    signals: list[dict[str, object]] = field(default_factory=list)


Logs = dict[date, Day]


def make_logs(*, worlds: int, seed: int, sent_again: bool = True) -> Logs:
    """Return the logs of `worlds` worlds; `sent_again` puts some signals on two log days."""
    logs = {day: Day() for day in DAYS}
    for world in range(worlds):
        source = _World(world, random.Random(f"{seed}/{world}"))  # noqa: S311
        for day in DAYS:
            source.add_day(logs[day], day, sent_again=sent_again)
    return logs


def change_day(day: date, logs: Day, *, seed: int) -> Day:
    """Return other logs of the same day: rows gone, rows changed and rows new."""
    rng = random.Random(seed)  # noqa: S311
    sources: dict[int, _World] = {}

    def kept(rows: Iterable[dict[str, object]], kind: str, same: tuple[str, ...]) -> list:
        changed = []
        for row in rows:
            world = int(str(row["advertiser_id" if kind != "activity" else "user_id"])[1:4])
            source = sources.setdefault(world, _World(world, random.Random(f"{seed}/{world}")))  # noqa: S311
            source.serial = 5000 + rng.randrange(1000)
            fate = rng.random()
            if fate < 0.5:
                changed.append(row)
            elif fate < 0.75:
                other = getattr(source, kind)(day)
                changed.append({**row, **{k: v for k, v in other.items() if k not in same}})
            elif fate < 0.8:
                column = rng.choice([name for name in row if name not in same])
                changed.append({**row, column: getattr(source, kind)(day)[column]})
        return changed

    return Day(
        kept(logs.activity, "activity", ()),
        kept(logs.touchpoints, "touch", ("touch_id",)),
        kept(logs.signals, "signal", ("signal_id",)),
    )


class _World:
    """A source of the rows of one world."""

    def __init__(self, number: int, rng: random.Random) -> None:
        self.prefix = f"w{number:03d}"
        self.number = number
        self.rng = rng
        self.serial = 0
        self.sent: list[dict[str, object]] = []
        self.touched: list[dict[str, object]] = []

    def add_day(self, logs: Day, day: date, *, sent_again: bool) -> None:
        rng = self.rng
        logs.activity += [self.activity(day) for _ in range(rng.randrange(4))]
        touches = [self.touch(day) for _ in range(rng.randrange(5))]
        if self.touched and rng.random() < 0.3:
            again = rng.choice(self.touched)
            touches.append(
                {**again, "event_time": self.moment(day)} if rng.random() < 0.3 else again
            )
        signals = [self.signal(day) for _ in range(rng.randrange(6))]
        if sent_again and self.sent and rng.random() < 0.3:
            again = rng.choice(self.sent)
            if rng.random() < 0.5:  # another event under the same id
                again = {**self.signal(day), "signal_id": again["signal_id"]}
            signals.append(again)
        self.touched += touches
        self.sent += signals
        logs.touchpoints += touches
        logs.signals += signals

    def moment(self, day: date) -> datetime:
        """Return a time of a grid of 12 hours, or a microsecond beside, mostly of `day`."""
        halves = self.rng.choice([-4, -2, -1, 0, 0, 1, 1, 1, 2, 3])
        return (
            datetime(day.year, day.month, day.day)  # noqa: DTZ001 -- logs are UTC without saying so
            + halves * timedelta(hours=12)
            + self.rng.choice([-1, 0, 0, 0, 0, 1]) * timedelta(microseconds=1)
        )

    def name(self, letter: str, count: int, share: float = 1.0) -> str | None:
        """Return one of `count` names, or None in all but a `share` of the calls."""
        if self.rng.random() >= share:
            return None
        return f"{self.prefix}{letter}{self.rng.randrange(count)}"

    def phone(self, share: float) -> str | None:
        if self.rng.random() >= share:
            return None
        return f"+1555{self.number:04d}{self.rng.randrange(3):02d}"

    def activity(self, day: date) -> dict[str, object]:
        email, phone = self.name("e", 4, 0.6), self.phone(0.3)
        return {
            "user_id": self.name("u", 3),
            "event_time": self.moment(day),
            "email_sha256": email and sha256(f"{email}@example.com"),
            "phone_sha256": phone and sha256(phone),
            "device_id": self.name("d", 4, 0.4),
            "cookie_id": self.name("c", 4, 0.4),
        }

    def touch(self, day: date) -> dict[str, object]:
        self.serial += 1
        return {
            "touch_id": f"{self.prefix}t{self.serial:04d}{self.rng.randrange(1000):03d}",
            "event_time": self.moment(day),
            "user_id": self.name("u", 3),
            "kind": self.rng.choice(["impression", "impression", "engaged_view", "click"]),
            "advertiser_id": self.name("a", 2),
            "campaign_id": self.name("p", 2),
            "ad_id": self.name("q", 2, 0.5),
            "surface": self.rng.choice([None, "feed", "live"]),
            "click_id": self.name("k", 5, 0.4),
            "arm": self.rng.choice([None, None, "treatment", "control"]),
        }

    def signal(self, day: date) -> dict[str, object]:
        self.serial += 1
        rng = self.rng
        order = self.name("o", 3, 0.7)
        email = self.name("e", 4, 0.4)
        adjustment = rng.choice([None, None, None, None, "retraction", "restatement"])
        return {
            "signal_id": f"{self.prefix}s{rng.randrange(1000):03d}{self.serial:04d}",
            "event_time": self.moment(day),
            "advertiser_id": self.name("a", 2),
            "event_name": rng.choice(["purchase", "purchase", "lead"]),
            "order_id": order,
            "value": rng.choice([None, 0.0, 0.1, 19.99, 1234567.891, 0.0000014]),
            "currency": rng.choice([None, "EUR", "USD"]),
            "adjustment": adjustment if order else None,
            "click_id": self.name("k", 5, 0.3),
            "cookie_id": self.name("c", 4, 0.3),
            "device_id": self.name("d", 4, 0.2),
            "external_id": self.name("x", 3, 0.5),
            "email": email and f"{email}@example.com",
            "phone": self.phone(0.2),
        }


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def ingest(warehouse: Warehouse, day: date, logs: Day) -> None:
    """Store the logs of one day as the ingest stage does, without reading files."""
    span = {"first_day": day, "last_day": day}
    pads = dict(KEY.pads)
    warehouse.execute("ingest/macros")
    with warehouse.transaction():
        for table in ("activity", "touchpoints", "signals"):
            batch = _batch(table, day, getattr(logs, table))
            warehouse.execute(f"ingest/delete_{table}", days=[day])
            warehouse.execute(
                "ingest/delete_rejected_rows", table_name=table, undated=False, days=[day]
            )
            keyed = {} if table == "activity" else {"file": f"date={day}/{table}.csv"}
            with warehouse.frame("batch", batch):
                warehouse.execute(f"ingest/insert_{table}", **keyed, **pads)
            if keyed:
                warehouse.execute(f"ingest/repeated_{table}", **span)
                warehouse.execute(f"ingest/reject_repeated_{table}")
                warehouse.execute(f"ingest/delete_repeated_{table}")


def _batch(table: str, day: date, rows: Sequence[dict[str, object]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_COLUMNS[table]).with_columns(
        pl.lit(day).alias("log_day"),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("source_row"),
    )


def process(run: Run, day: date, logs: Day) -> None:
    """Do all stages of one day."""
    ingest(run.warehouse, day, logs)
    match_day(run, day)
    attribute_day(run, day)


def hashes(warehouse: Warehouse) -> dict[str, str]:
    """Return a hash of the rows of each table."""
    rows = warehouse.query("reports/table_hashes")
    return dict(rows.select("table_name", "row_hash").iter_rows())
