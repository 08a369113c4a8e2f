"""Matching and attribution in plain Python: slow, obvious, and from all logs at once.

It knows no days' order, no replaced days and no temporary tables: the tables are a function of the
logs. What adscribe leaves behind after any history must equal this.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import astuple
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.stages.identity_twin import (
    Graph,
    Row,
    Said,
    events,
    identifiers_of,
    lessons,
    links_of_lessons,
    links_of_logs,
    rule_of,
    what_is_said,
)
from tests.stages.worlds import Logs
from warehouse.config import AttributionConfig, Config

Tables = dict[str, list[tuple[object, ...]]]


def tables_of(logs: Logs, config: Config) -> Tables:
    """Return the rows that each table must hold, sorted."""
    signals, touches = _signals(logs), _touches(logs)
    order = [str(method) for method in config.matching.order]
    identifiers = identifiers_of(signals)
    links = links_of_logs(logs, touches)
    taught = lessons(signals, identifiers, links, config)
    links += links_of_lessons(taught, config)
    graph = Graph(links, config.identities)
    matches, conflicts = {}, []
    for signal in signals:
        said = what_is_said(signal, identifiers[signal["signal_id"]], graph, order)
        method, user, vetoed = _decision(said, config)
        if method is not None and not vetoed:
            matches[signal["signal_id"]] = method, user
        conflicts += _conflicts(signal, said, user, vetoed=vetoed)
    conversions, roles = _conversions(signals, config.attribution)
    paths = _paths(touches, conversions, matches, order, config.attribution)
    return {
        "identity_links": _sorted(map(astuple, links)),
        "signal_evidence": _sorted(taught),
        "identity_events": _sorted(events(links, _newest(logs), config)),
        "matches": _sorted(
            (s["day"], s["signal_id"], user, method, 1.0, 1, True)
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


def _newest(logs: Logs) -> date:
    """Return the last day of which there is an observation."""
    return max(
        day
        for day, content in logs.items()
        if content.activity or content.touchpoints or content.signals
    )


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


def _decision(said: dict[str, Said], config: Config) -> tuple[str | None, str | None, bool]:
    """Return the kind and user that decide, and whether they are vetoed; `said` by trust."""
    naming = [(kind, answer.user) for kind, answer in said.items() if answer.user is not None]
    if naming:
        method, user = naming[0]
        is_unique = {kind: rule_of(config.identities, kind).unique for kind in said}
        objects = any(is_unique[kind] and other != user for kind, other in naming)
        return method, user, objects and not is_unique[method]
    shared = {k: answer.users for k, answer in said.items() if answer.reason == "shared_identifier"}
    common = frozenset.intersection(*shared.values()) if len(shared) > 1 else ()
    if len(common) == 1:
        return next(iter(shared)), min(common), False
    return None, None, False


def _conflicts(
    signal: Row, said: dict[str, Said], decided: str | None, *, vetoed: bool
) -> list[tuple[object, ...]]:
    rows = []
    in_common = decided is not None and all(answer.user != decided for answer in said.values())
    for kind, answer in said.items():
        reason = answer.reason
        if in_common and not vetoed and reason == "shared_identifier":
            continue  # it was followed
        if reason is None and answer.user != decided:
            reason = "other_user"
        elif reason is None and vetoed:
            reason = "vetoed"
        if reason is not None:
            named = answer.user, len(answer.spoken)
            rows.append((signal["day"], signal["signal_id"], kind, reason, *named))
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
    touches: list[Row],
    conversions: list[Row],
    matches: dict[object, tuple[str, str]],
    order: list[str],
    config: AttributionConfig,
) -> dict[object, tuple[str | None, list[Row]]]:
    """Return the user of each conversion and the touches that may earn it, in no order."""
    by_user = defaultdict(list)
    for touch in touches:
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
