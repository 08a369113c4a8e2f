"""Matching and attribution in plain Python: slow, obvious, and from all logs at once.

It knows no days' order, no replaced days and no temporary tables: the tables are a function of the
logs. What adscribe leaves behind after any history must equal this.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tests.stages.worlds import KEY, Logs, sha256
from warehouse.config import AttributionConfig, Config

Row = dict[str, object]
Tables = dict[str, list[tuple[object, ...]]]

_SIGNAL_COLUMNS = {
    "click_id": "click_id",
    "email": "email",
    "phone": "phone",
    "device_id": "device_id",
    "cookie_id": "cookie_id",
    "external_id": "external_id",
}


def tables_of(logs: Logs, config: Config) -> Tables:
    """Return the rows that each table must hold, sorted."""
    signals = _signals(logs)
    links = _links(logs)
    order = [str(method) for method in config.matching.order]
    direct = {
        signal["signal_id"]: _winner(
            _named(signal, links), [m for m in order if m != "external_id"]
        )
        for signal in signals
    }
    for signal in signals:
        winner = direct[signal["signal_id"]]
        if winner is not None and signal["external_id"] is not None:
            _see(links, _identifier(signal, "external_id"), winner[1], signal["day"])
    matches, conflicts = {}, []
    for signal in signals:
        named = _named(signal, links)
        winner = _winner(named, order)
        if winner is not None:
            matches[signal["signal_id"]] = winner
        conflicts += _conflicts(signal, named, winner, order)
    conversions, roles = _conversions(signals, config.attribution)
    paths = _paths(logs, conversions, matches, order, config.attribution)
    return {
        "identity_links": sorted(
            (kind, digest, user, day)
            for (kind, digest), users in links.items()
            for user, day in users.items()
        ),
        "matches": sorted(
            (s["day"], s["signal_id"], user, method, 1.0, 1)
            for s in signals
            for method, user in [matches.get(s["signal_id"], (None, None))]
            if user is not None
        ),
        "match_conflicts": _sorted(conflicts),
        "conversions": _sorted(
            (c["id"], c["time"].date(), *c["key"][:2], c["order_id"], c["time"], c["value"],
             c["currency"], c["status"])
            for c in conversions
        ),
        "conversion_signals": _sorted(
            (s["day"], s["signal_id"], conversion, role, s["advertiser_id"], s["event_name"],
             s["order_id"])
            for s, conversion, role in roles
        ),
        "path_touches": _sorted(
            (c["id"], c["time"].date(), t["touch_id"], t["day"], t["event_time"], t["user_id"],
             t["kind"], t["campaign_id"], t.get("ad_id"), t.get("surface"), t.get("creator_id"))
            for c in conversions
            for t in paths[c["id"]][1]
        ),
        "credits": _sorted(_last_touch(c, *paths[c["id"]]) for c in conversions),
    }  # fmt: skip


def _signals(logs: Logs) -> list[Row]:
    """Return each signal once: as it stands on its first log day, in the first row."""
    first: dict[object, Row] = {}
    for day in sorted(logs):
        for row in logs[day].signals:
            first.setdefault(row["signal_id"], {**row, "day": day})
    return list(first.values())


def _touches(logs: Logs) -> list[Row]:
    """Return the touches, of each log day and touch_id the first."""
    first: dict[object, Row] = {}
    for day, content in logs.items():
        for row in content.touchpoints:
            first.setdefault((day, row["touch_id"]), {**row, "day": day})
    return list(first.values())


def digest(kind: str, value: str) -> str:
    """Return the keyed digest of an identifier, written as a UUID."""
    code = hmac.new(KEY.secret, f"{kind}:{value}".encode(), hashlib.sha256)
    return str(UUID(code.hexdigest()[:32]))


def _identifier(signal: Row, kind: str) -> tuple[str, str] | None:
    value = signal[_SIGNAL_COLUMNS[kind]]
    if value is None:
        return None
    if kind in ("email", "phone"):
        value = sha256(value)
    if kind == "external_id":
        value = f"{signal['advertiser_id']}:{value}"
    return kind, digest(kind, value)


def _see(links: dict, identifier: tuple[str, str], user: str, day: date) -> None:
    users = links[identifier]
    users[user] = min(day, users.get(user, day))


def _links(logs: Logs) -> dict[tuple[str, str], dict[str, date]]:
    """Return for each identifier the users it was seen with, and since when."""
    links: dict = defaultdict(dict)
    for day, content in logs.items():
        for row in content.activity:
            for kind, column in (
                ("email", "email_sha256"),
                ("phone", "phone_sha256"),
                ("device_id", "device_id"),
                ("cookie_id", "cookie_id"),
            ):
                if row[column] is not None:
                    _see(links, (kind, digest(kind, row[column])), row["user_id"], day)
    for touch in _touches(logs):
        if touch["click_id"] is not None:
            identifier = ("click_id", digest("click_id", touch["click_id"]))
            _see(links, identifier, touch["user_id"], touch["day"])
    return links


def _named(signal: Row, links: dict) -> dict[str, list[str]]:
    """Return the users each identifier of a signal was known to have by the end of its log day."""
    named = {}
    for kind in _SIGNAL_COLUMNS:
        known = links.get(_identifier(signal, kind), {})
        users = [user for user, since in known.items() if since <= signal["day"]]
        if users:
            named[kind] = users
    return named


def _winner(named: dict[str, list[str]], order: Iterable[str]) -> tuple[str, str] | None:
    for method in order:
        if len(named.get(method, [])) == 1:
            return method, named[method][0]
    return None


def _conflicts(
    signal: Row, named: dict[str, list[str]], winner: tuple[str, str] | None, order: list[str]
) -> list[tuple]:
    rows = []
    for method, users in named.items():
        if method not in order:
            continue
        if len(users) > 1:
            reason, user = "shared_identifier", None
        elif users[0] != winner[1]:
            reason, user = "other_user", users[0]
        else:
            continue
        rows.append((signal["day"], signal["signal_id"], method, reason, user, len(users)))
    return rows


def _conversions(
    signals: list[Row], config: AttributionConfig
) -> tuple[list[Row], list[tuple[Row, str | None, str]]]:
    orders = defaultdict(list)
    for signal in signals:
        own = None if signal["order_id"] is not None else signal["signal_id"]
        key = (signal["advertiser_id"], signal["event_name"], signal["order_id"], own)
        orders[key].append(signal)
    window = timedelta(hours=config.dedup_window_hours)
    conversions: list[Row] = []
    roles: list[tuple[Row, str | None, str]] = []
    for key, members in orders.items():
        members.sort(key=_by_time)
        firsts: list[Row] = []
        for signal in members:
            if signal["adjustment"] is None and (
                not firsts or signal["event_time"] > firsts[-1]["event_time"] + window
            ):
                firsts.append(signal)
        parts = {first["signal_id"]: [] for first in firsts}
        for signal in members:
            before = [first for first in firsts if first["event_time"] <= signal["event_time"]]
            owner = before[-1] if before else firsts[0] if firsts else None
            conversion = owner and owner["signal_id"]
            role = signal["adjustment"] or ("first" if signal is owner else "repeat")
            roles.append((signal, conversion, role))
            if owner:
                parts[conversion].append((role, signal))
        conversions += [_conversion(first, key, parts[first["signal_id"]]) for first in firsts]
    return conversions, roles


def _conversion(first: Row, key: tuple, parts: list[tuple[str, Row]]) -> Row:
    told = [s for role, s in parts if role in ("first", "repeat") and s["value"] is not None]
    restated = [s for role, s in parts if role == "restatement" and s["value"] is not None]
    value = currency = None
    status = "active"
    if told:
        value, currency = told[0]["value"], told[0]["currency"]
    if restated:
        status, value = "restated", restated[-1]["value"]
        currency = restated[-1]["currency"] or currency
    if any(role == "retraction" for role, _ in parts):
        status, value = "retracted", 0
    return {
        "id": first["signal_id"],
        "key": key,
        "order_id": key[2],
        "time": first["event_time"],
        "value": None if value is None else Decimal(str(round(value, 6))).quantize(Decimal("1e-6")),
        "currency": currency,
        "status": status,
        "members": [s for role, s in parts if role in ("first", "repeat")],
    }


def _by_time(signal: Row) -> tuple[datetime, str]:
    return signal["event_time"], signal["signal_id"]


def _paths(
    logs: Logs,
    conversions: list[Row],
    matches: dict[object, tuple[str, str]],
    order: list[str],
    config: AttributionConfig,
) -> dict[object, tuple[str | None, list[Row]]]:
    """Return the user of each conversion and the touches that may earn it, in no order."""
    by_user = defaultdict(list)
    for touch in _touches(logs):
        by_user[touch["user_id"], touch["advertiser_id"]].append(touch)
    windows = {
        "click": timedelta(hours=config.click_window_hours),
        "engaged_view": timedelta(hours=config.engaged_view_window_hours),
        "impression": timedelta(hours=config.view_window_hours),
    }
    paths = {}
    for conversion in conversions:
        known = [s for s in conversion["members"] if s["signal_id"] in matches]
        known.sort(key=lambda s: (order.index(matches[s["signal_id"]][0]), *_by_time(s)))
        user = matches[known[0]["signal_id"]][1] if known else None
        touches = by_user[user, conversion["key"][0]]
        paths[conversion["id"]] = user, _eligible(conversion["time"], touches, windows)
    return paths


def _eligible(moment: datetime, touches: list[Row], windows: dict[str, timedelta]) -> list[Row]:
    eligible: dict[object, Row] = {}
    for touch in sorted(touches, key=lambda t: (t["event_time"], _strength(t), t["day"])):
        age = moment - touch["event_time"]
        if touch["arm"] != "control" and timedelta(0) <= age <= windows[touch["kind"]]:
            eligible.setdefault(touch["touch_id"], touch)  # sent again, it is still one touch
    return list(eligible.values())


def _strength(touch: Row) -> int:
    return ("click", "engaged_view", "impression").index(touch["kind"])


def _last_touch(conversion: Row, user: str | None, touches: list[Row]) -> tuple:
    ranked = sorted(touches, key=lambda t: t["touch_id"])
    ranked.sort(key=lambda t: t["event_time"], reverse=True)
    ranked.sort(key=_strength)
    winner = ranked[0] if ranked else {"touch_id": None, "campaign_id": None, "event_time": None}
    return (
        conversion["id"],
        "last_touch",
        "touch" if ranked else "unmatched" if user is None else "organic",
        user,
        winner["touch_id"],
        1_000_000,
        int((conversion["value"] or 0) * 1_000_000),
        conversion["time"].date(),
        winner["campaign_id"],
        winner["event_time"],
    )


def _sorted(rows: Iterable[tuple]) -> list[tuple]:
    return sorted(rows, key=lambda row: [(cell is not None, cell) for cell in row])
