"""Literal rows of the logs of January 2026, and what a warehouse makes of them."""

from datetime import datetime
from typing import Final

from tests.stages.histories import table
from tests.stages.identity_twin import keyed_digest
from tests.stages.spellings import sha256
from warehouse.database import Warehouse

ADVERTISER: Final = "shop"


def at(day: int, hour: int = 12) -> datetime:
    """Return a time of January 2026."""
    return datetime(2026, 1, day, hour)  # noqa: DTZ001 -- logs are UTC without saying so


def seen(
    user: str, *, time: datetime, email: str | None = None, phone: str | None = None, **ids: str
) -> dict[str, object]:
    """Return a row of activity; e-mail and phone as the platform hashes them."""
    return {
        "user_id": user,
        "event_time": time,
        "email_sha256": email and sha256(email),
        "phone_sha256": phone and sha256(phone),
        **ids,
    }


def click(user: str, *, time: datetime, **ids: str) -> dict[str, object]:
    """Return a click on an ad of the advertiser."""
    return {
        "touch_id": f"touch of {user}",
        "event_time": time,
        "user_id": user,
        "kind": "click",
        "advertiser_id": ADVERTISER,
        "campaign_id": "spring",
        **ids,
    }


def signal(signal_id: str, *, time: datetime, **ids: str) -> dict[str, object]:
    """Return a purchase at the advertiser."""
    return {
        "signal_id": signal_id,
        "event_time": time,
        "advertiser_id": ADVERTISER,
        "event_name": "purchase",
        "value": 10.0,
        "currency": "EUR",
        **ids,
    }


def matches(warehouse: Warehouse) -> dict[str, tuple[str, str]]:
    """Return the user and the method of each matched signal."""
    rows = table(warehouse, "matches").select("signal_id", "user_id", "method").rows()
    return {signal_id: (user, method) for signal_id, user, method in rows}


def conflicts(warehouse: Warehouse) -> list[tuple[str, str, str, str | None, int]]:
    """Return signal, method, reason, user and number of users of what was not followed."""
    columns = ["signal_id", "method", "reason", "user_id", "users"]
    return sorted(table(warehouse, "match_conflicts").select(columns).rows(), key=lambda r: r[:2])


def events(
    warehouse: Warehouse, kind: str, *, value: str | None = None
) -> list[tuple[int, str, str | None, int | None]]:
    """Return the day of January, event, user and number of users of a kind's identifiers.

    `value` is what was hashed, such as an e-mail address, where one identifier alone is asked for.
    """
    digest = value and keyed_digest(kind, sha256(value))
    rows = [
        (row["day"].day, row["event"], row["user_id"], row["users"])
        for row in table(warehouse, "identity_events").to_dicts()
        if row["kind"] == kind and digest in (None, row["digest"])
    ]
    return sorted(rows, key=lambda row: (row[0], row[1], row[2] or ""))
