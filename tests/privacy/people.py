"""Known people put into a simulated world, and whether a byte of them can be found anywhere."""

import base64
import csv
import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from typer.testing import CliRunner, Result

import cli
from simulation import simulate

DAYS: Final = [date(2026, 1, 5) + timedelta(days=n) for n in range(3)]
_RUNNER: Final = CliRunner()
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True)
class Person:
    """Somebody whose e-mail address and phone number are known, in clear."""

    user_id: str
    email: str
    phone: str  # E.164

    @property
    def email_sha256(self) -> str:
        """As Meta and TikTok hash it."""
        return sha256(self.email.lower())

    @property
    def phone_sha256(self) -> str:
        """As Google and TikTok hash it."""
        return sha256(self.phone)


def sha256(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def make_people(count: int) -> list[Person]:
    """Return people with addresses and numbers that look like no other text."""
    rng = random.Random(41)  # noqa: S311
    people = []
    for number in range(count):
        name = "".join(rng.choices(_LETTERS, k=9))
        domain = "gmail.com" if number % 5 == 0 else f"post-{number % 7}.com"
        email = f"{name[:5].title()}.{name[5:]}{number}@{domain}"
        phone = f"+1212{rng.randrange(2, 10)}{rng.randrange(10**6):06d}"
        people.append(Person(f"known-user-{name}-{number:04d}", email, phone))
    return people


def make_world(root: Path) -> Path:
    """Simulate a small world of three days below `root`; return its folder."""
    simulate(root / "logs", users=150, days=len(DAYS), seed=7)
    return root / "logs"


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows as CSV, columns in the order in which they first stand."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def add_customers(logs: Path, people: Sequence[Person]) -> None:
    """Have each person click on day 1, buy on day 2, and every third return it on day 3."""
    seen, clicks, bought, returned = [], [], [], []
    for number, person in enumerate(people):
        seen.append(
            {
                "user_id": person.user_id, "event_time": f"{DAYS[0]} 08:00:00", "ip": "8.8.4.4",
                "email_sha256": person.email_sha256, "phone_sha256": person.phone_sha256,
                "device_id": f"device-{number}", "cookie_id": f"cookie-{number}",
            }
        )  # fmt: skip
        clicks.append(
            {
                "touch_id": f"known-t{number}", "event_time": f"{DAYS[0]} 09:00:00",
                "user_id": person.user_id, "kind": "click", "advertiser_id": "adv_01",
                "campaign_id": f"cmp_0{number % 3 + 1}", "click_id": f"click-{number}",
            }
        )  # fmt: skip
        order = {"advertiser_id": "adv_01", "event_name": "purchase", "order_id": f"k{number}"}
        bought.append(
            {
                **order, "signal_id": f"known-s{number}", "event_time": f"{DAYS[1]} 10:00:00",
                "value": 10 + number, "currency": "USD", "email": person.email,
                "phone": person.phone, "external_id": f"customer-{number}",
                "user_agent": f"Agent of {number}", "ip": "8.8.8.8", "city": "Springfield",
            }
        )  # fmt: skip
        if number % 3 == 0:
            returned.append(
                {
                    **order, "signal_id": f"known-r{number}", "event_time": f"{DAYS[2]} 10:00:00",
                    "adjustment": "retraction", "email": person.email,
                }
            )  # fmt: skip
    write_rows(logs / f"date={DAYS[0]}" / "activity-known.csv", seen)
    write_rows(logs / f"date={DAYS[0]}" / "touchpoints-known.csv", clicks)
    write_rows(logs / f"date={DAYS[1]}" / "signals-known.csv", bought)
    write_rows(logs / f"date={DAYS[2]}" / "signals-known.csv", returned)


def adscribe(*words: object, text: str | None = None, code: int = 0) -> Result:
    """Run a command in this process and see that it ends as it should."""
    result = _RUNNER.invoke(cli.app, list(map(str, words)), input=text)
    assert result.exit_code == code, f"{words}: {result.output} {result.exception!r}"
    return result


def printed_json(*words: object) -> object:
    """Return what a command prints as JSON."""
    return json.loads(adscribe(*words).stdout)


def found(needles: Iterable[bytes], content: bytes) -> set[bytes]:
    """Return the needles (of eight bytes or more) that stand anywhere in `content`."""
    by_head: dict[int, list[bytes]] = {}
    for needle in set(needles):
        by_head.setdefault(int.from_bytes(needle[:8], "little"), []).append(needle)
    starts = np.zeros(1 << 16, dtype=bool)  # by the first two bytes
    starts[[head & 0xFFFF for head in by_head]] = True
    likely = np.zeros(1 << 24, dtype=bool)  # by the three after them
    likely[[head >> 16 & 0xFFFFFF for head in by_head]] = True
    hits = set()
    for offset in range(8):
        words = np.frombuffer(content[offset : offset + (len(content) - offset) // 8 * 8], "<u8")
        places = np.flatnonzero(starts[words & 0xFFFF])
        for place in places[likely[words[places] >> np.uint64(16) & 0xFFFFFF]]:
            start = offset + 8 * int(place)
            known = by_head.get(int(words[place]), [])
            hits |= {needle for needle in known if content.startswith(needle, start)}
    return hits


def stored_text(db: Path) -> bytes:
    """Return every text and digest of every table: in the file they may be compressed."""
    parts = []
    with duckdb.connect(str(db), read_only=True) as connection:
        columns = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() "
            "WHERE database_name = current_database() AND NOT internal "
            "AND (data_type LIKE '%VARCHAR%' OR data_type = 'UUID')"
        ).fetchall()
        assert len(columns) > 60
        for table, column, _ in columns:
            values = (
                connection.table(f'"{table}"').project(f'CAST("{column}" AS VARCHAR)').distinct()
            )
            parts += [str(value) for (value,) in values.fetchall() if value is not None]
    text = "\n".join(parts)
    return (text + "\n" + text.replace("-", "")).encode()


def spellings(email: str) -> set[bytes]:
    """Return an address in the forms in which it may have been kept."""
    local, _, domain = email.lower().rpartition("@")
    plain = local.partition("+")[0]
    texts = {email, email.lower(), email.upper(), local, plain.replace(".", ""),
             f"{plain.replace('.', '')}@{domain}"}  # fmt: skip
    return {text.encode() for text in texts}


def hashes(text: str) -> set[bytes]:
    """Return the SHA-256 of a text in the forms in which it may have been kept."""
    digest = hashlib.sha256(text.encode()).digest()
    return {
        digest, digest[:16], digest.hex().encode(), digest.hex().upper().encode(),
        digest.hex()[:32].encode(), base64.b64encode(digest), base64.urlsafe_b64encode(digest),
    }  # fmt: skip
