"""Logs of many tiny worlds, side by side in one warehouse.

Each world has a few users, advertisers and identifiers, so that identifiers are shared, orders come
again and times tie. The identifiers in use change from day to day, so that links grow old. Worlds
share nothing but what is nobody's: a prefix in every name tells which world a row is of.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from tests.stages import spellings
from tests.stages.settings import DAYS

BOT: Final = "Googlebot/2.1 (+http://www.google.com/bot.html)"
_BROWSER: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
MACHINES: Final = "93.184.216."  # a network of data_centres.txt
_HOME: Final = "81.2.69.142"


@dataclass
class Day:
    """The logs of one day, a list of rows for each table."""

    activity: list[dict[str, object]] = field(default_factory=list)
    touchpoints: list[dict[str, object]] = field(default_factory=list)
    signals: list[dict[str, object]] = field(default_factory=list)


Logs = dict[date, Day]


def make_logs(
    *, worlds: int, seed: int, sent_again: bool = True, days: Iterable[date] = DAYS
) -> Logs:
    """Return the logs of `worlds` worlds; `sent_again` puts some signals on two log days."""
    logs = {day: Day() for day in days}
    for world in range(worlds):
        source = _World(world, random.Random(f"{seed}/{world}"))  # noqa: S311
        for day, content in logs.items():
            source.add_day(content, day, sent_again=sent_again)
    return logs


def dated_by_rows(logs: Logs) -> Logs:
    """Return the logs with times that tell the log day of each row, so that no folder need."""
    dated = {}
    for day, content in logs.items():
        noon = datetime(day.year, day.month, day.day, 12)  # noqa: DTZ001
        dated[day] = Day(
            [{**row, "event_time": noon} for row in content.activity],
            [
                {**row, "event_time": datetime.combine(day, row["event_time"].time())}
                for row in content.touchpoints
            ],
            [{**row, "received_time": noon} for row in content.signals],
        )
    return dated


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
                changed.append(dict(row))
            elif fate < 0.75:
                other = getattr(source, kind)(day)
                changed.append({**row, **{k: v for k, v in other.items() if k not in same}})
            elif fate < 0.8:
                column = rng.choice([name for name in row if name not in same])
                changed.append({**row, column: getattr(source, kind)(day)[column]})
        for row in changed:
            if row.get("order_id") is None and "adjustment" in row:
                row["adjustment"] = None  # the row would be refused
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
        touches = [self.touch(day) for _ in range(rng.randrange(10))]
        if self.touched and rng.random() < 0.3:
            again = rng.choice(self.touched)
            touches.append(
                {**again, "event_time": self.moment(day)} if rng.random() < 0.3 else again
            )
        if touches and rng.random() < 0.3:  # clicks faster than people click
            touches += [
                {**touches[0], **self.touch_id(), "kind": "click"}
                for _ in range(rng.randrange(1, 4))
            ]
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

    def current(self, day: date, count: int, share: float) -> int | None:
        """Return the number of one of `count` identifiers in use, which move on every two days."""
        if self.rng.random() >= share:
            return None
        return self.rng.randrange(count) + (day - DAYS[0]).days // 2

    def click(self, day: date, share: float) -> str | None:
        number = self.current(day, 6, share)
        return number if number is None else self.rng.choice(["", " "]) + f"{self.prefix}K{number}"

    def id_in_use(self, letter: str, day: date, share: float) -> str | None:
        number = self.current(day, 3, share)
        if number is None:
            return None
        return spellings.plain_id(f"{self.prefix}{letter}{number}", self.rng)

    def activity(self, day: date) -> dict[str, object]:
        email, phone = self.current(day, 3, 0.6), self.current(day, 3, 0.4)
        return {
            "user_id": self.name("u", 3),
            "event_time": self.moment(day),
            "email_sha256": None
            if email is None
            else spellings.hashed_email(self.prefix, email, self.rng),
            "phone_sha256": None
            if phone is None
            else spellings.hashed_phone(self.number, phone, self.rng),
            "device_id": self.id_in_use("d", day, 0.4),
            "cookie_id": self.id_in_use("c", day, 0.4),
            **self.device(0.2),
        }

    def device(self, share: float) -> dict[str, str | None]:
        """Return a user agent and an address, a `share` of each of machines."""
        return {
            "user_agent": BOT if self.rng.random() < share else self.rng.choice([None, _BROWSER]),
            "ip": f"{MACHINES}{self.rng.randrange(256)}"
            if self.rng.random() < share
            else self.rng.choice([None, _HOME]),
        }

    def touch_id(self) -> dict[str, str]:
        self.serial += 1
        return {"touch_id": f"{self.prefix}t{self.serial:04d}{self.rng.randrange(1000):03d}"}

    def touch(self, day: date) -> dict[str, object]:
        return {
            **self.touch_id(),
            "event_time": self.moment(day),
            "user_id": self.name("u", 3),
            "kind": self.rng.choice(["impression", "impression", "engaged_view", "click"]),
            "advertiser_id": self.name("a", 2),
            "campaign_id": self.name("p", 2),
            "ad_id": self.name("q", 2, 0.5),
            "surface": self.rng.choice([None, "feed", "live"]),
            "creator_id": self.name("k", 2, 0.3),
            "click_id": self.click(day, 0.5),
            "arm": self.rng.choice([None, None, "treatment", "control"]),
        }

    def signal(self, day: date) -> dict[str, object]:
        self.serial += 1
        rng = self.rng
        order = self.name("o", 3, 0.7)
        email, phone = self.current(day, 3, 0.5), self.current(day, 3, 0.3)
        adjustment = rng.choice([None, None, None, None, "retraction", "restatement"])
        return {
            "signal_id": f"{self.prefix}s{rng.randrange(1000):03d}{self.serial:04d}",
            "event_time": self.moment(day),
            "advertiser_id": self.name("a", 2),
            "event_name": rng.choice(["purchase", "purchase", "lead", "install"]),
            "order_id": order,
            "value": rng.choice([None, 0.0, 0.1, 19.99, 1234567.891, 0.0000014]),
            "currency": rng.choice([None, "EUR", "USD"]),
            "adjustment": adjustment if order else None,
            "click_id": self.click(day, 0.35),
            "cookie_id": self.id_in_use("c", day, 0.4),
            "device_id": self.id_in_use("d", day, 0.3),
            "external_id": self.id_in_use("x", day, 0.4),
            "email": email if email is None else spellings.email(self.prefix, email, rng),
            "consent": rng.choice([None, None, None, None, "granted", "denied"]),
            **self.device(0.05),
            **(
                {"phone": None, "country": None}
                if phone is None
                else spellings.phone(self.number, phone, rng)
            ),
        }
