"""Attribution in plain Python, after docs/attribution.md: slow, obvious, all logs at once.

Credit is worked out in exact fractions, one conversion, one user and one model at a time.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from attribution.eligibility import resolve
from tests.stages.candidates import Candidate
from tests.stages.conversions_twin import by_time, conversions_of
from tests.stages.eligibility_twin import (
    by_precedence,
    click_digest,
    flooded_clicks,
    invalid_reason,
    is_listed,
    machine_users,
    strengths,
    told,
)
from tests.stages.identity_twin import Kinds, Row
from tests.stages.models_twin import MICROS, Path, apportion, rounded, weights
from warehouse.attribution_config import AttributionConfig, Model
from warehouse.config import Config

_WINDOWS: Final = {
    "click": "click_window_hours",
    "engaged_view": "engaged_view_window_hours",
    "impression": "view_window_hours",
}
_NO_TOUCH: Final[Row] = {"campaign_id": None, "event_time": None}


@dataclass(frozen=True)
class User:
    """One user who may have made a conversion."""

    user_id: str
    signal_id: str
    method: str
    micros: int
    best: bool


@dataclass(frozen=True)
class Logged:
    """What attribution reads: logs, and what matching made of them."""

    activity: list[Row]
    touches: list[Row]
    signals: list[Row]
    identifiers: dict[str, Kinds]
    matches: dict[str, list[Candidate]]


def attribution_of(logged: Logged, config: Config) -> dict[str, Iterable[tuple[object, ...]]]:
    """Return the rows that the tables of attribution must hold."""
    rules = config.attribution
    conversions, roles = conversions_of(logged.signals, rules)
    order = [str(method) for method in config.matching.order]
    users = {c["id"]: _users(c, logged.matches, order) for c in conversions}
    reinstalls = _reinstalls(conversions, users, rules)
    flooded = flooded_clicks(logged.touches, rules.traffic)
    machines = machine_users(logged.activity, rules.traffic)
    paths = _paths(logged, conversions, users, flooded, machines, rules)
    version = resolve(rules).version
    return {
        "invalid_touches": [(*key, "click_flooding") for key in flooded],
        "invalid_users": machines.items(),
        "conversions": (
            (c["id"], c["time"].date(), *c["key"][:2], c["order_id"], c["time"], c["value"],
             c["currency"], c["status"])
            for c in conversions
        ),
        "conversion_signals": (
            (s["day"], s["signal_id"], conversion, role, s["advertiser_id"], s["event_name"],
             s["order_id"])
            for s, conversion, role in roles
        ),
        "conversion_users": (
            (c["id"], c["time"].date(), u.user_id, u.signal_id, u.method, u.micros, u.best)
            for c in conversions
            for u in users[c["id"]]
        ),
        "path_touches": (
            (c["id"], c["time"].date(), t["touch_id"], t["day"], t["event_time"], t["user_id"],
             t["kind"], t["campaign_id"], t["ad_id"], t["surface"], t["creator_id"], t["named"],
             t["strength"], t["reason"])
            for c in conversions
            for u in users[c["id"]]
            for t in paths[c["id"], u.user_id]
        ),
        "credits": (
            (*row, version)
            for c in conversions
            for row in _credits(c, users[c["id"]], paths, reinstalls, rules)
        ),
    }  # fmt: skip


def _users(conversion: Row, matches: dict[str, list[Candidate]], order: list[str]) -> list[User]:
    """Return the candidates of the signal that says most, the likeliest first."""

    def says(signal: Row) -> tuple[object, ...]:
        best = min(matches[signal["signal_id"]], key=_likeliest)
        trust = order.index(best.method) if best.method in order else len(order)
        return not best.declared, -best.probability, trust, *by_time(signal)

    known = [s for s in conversion["members"] if matches.get(s["signal_id"])]
    if not known:
        return []
    signal_id = min(known, key=says)["signal_id"]
    users, left = [], MICROS
    for place, candidate in enumerate(sorted(matches[signal_id], key=_likeliest)):
        micros = min(rounded(candidate.probability * MICROS), left)
        left -= micros
        best = place == 0 and candidate.declared
        if micros:
            users.append(User(candidate.user, signal_id, candidate.method, micros, best))
    return users


def _likeliest(candidate: Candidate) -> tuple[object, ...]:
    return not candidate.declared, -candidate.probability, candidate.rank, candidate.user


def _reinstalls(
    conversions: list[Row], users: dict[str, list[User]], rules: AttributionConfig
) -> set[tuple[str, str]]:
    """Return the installs, with their users, that are none: the app was there and in use."""
    lives = defaultdict(list)
    for conversion in conversions:
        for user in users[conversion["id"]]:
            if user.best:
                lives[user.user_id, conversion["key"][0]].append(conversion)
    installs, found = rules.installs, set()
    for conversion in conversions:
        for user in users[conversion["id"]]:
            life = lives[user.user_id, conversion["key"][0]]
            before = [c for c in life if c["time"] < conversion["time"]]
            reach = conversion["time"] - timedelta(days=installs.reattribution_days)
            idle = timedelta(days=installs.inactivity_days)
            if (
                conversion["key"][1] in installs.events
                and any(c["key"][1] in installs.events and c["time"] >= reach for c in before)
                and conversion["time"] - max(c["time"] for c in before) < idle
            ):
                found.add((conversion["id"], user.user_id))
    return found


def _paths(
    logged: Logged,
    conversions: list[Row],
    users: dict[str, list[User]],
    flooded: list[tuple[object, str]],
    machines: dict[str, str],
    rules: AttributionConfig,
) -> dict[tuple[str, str], list[Row]]:
    """Return the touches of each conversion and user, refused ones with their reason."""
    ranks = strengths(rules)
    by_user = defaultdict(list)
    floods = set(flooded)
    for touch in logged.touches:
        reason = machines.get(touch["user_id"])
        if reason is None and (touch["day"], touch["touch_id"]) in floods:
            reason = "click_flooding"
        if touch["arm"] != "control":
            by_user[touch["user_id"], touch["advertiser_id"]].append(
                {**touch, "reason": reason, "strength": ranks[touch["kind"]]}
            )
    paths = {}
    for conversion in conversions:
        advertiser = conversion["key"][0]
        named = {
            digest
            for signal in conversion["members"]
            for digest in logged.identifiers[signal["signal_id"]].get("click_id", ())
        }
        for user in users[conversion["id"]]:
            touches = [
                {**touch, "named": click_digest(touch) in named}
                for touch in by_user[user.user_id, advertiser]
                if is_listed(touch, rules)
            ]
            path = _within(conversion, user.method, touches, rules)
            paths[conversion["id"], user.user_id] = path
    return paths


def _within(
    conversion: Row, method: str, touches: list[Row], rules: AttributionConfig
) -> list[Row]:
    """Return the touches within their windows, each once, those too soon refused."""
    copies = defaultdict(list)
    for touch in touches:
        age = conversion["time"] - touch["event_time"]
        window = timedelta(hours=told(_WINDOWS[touch["kind"]], conversion, method, rules))
        kind = "click" if touch["kind"] == "click" else "view"
        least = timedelta(seconds=told(f"least_{kind}_seconds", conversion, method, rules))
        if timedelta(0) <= age <= window:
            reason = touch["reason"] or ("click_injection" if age < least else None)
            copies[touch["touch_id"]].append({**touch, "reason": reason})
    # sent again, it is still one touch
    return [
        min(same, key=lambda t: (t["reason"] is not None, t["event_time"], t["strength"], t["day"]))
        for same in copies.values()
    ]


def _credits(
    conversion: Row,
    users: list[User],
    paths: dict[tuple[str, str], list[Row]],
    reinstalls: set[tuple[str, str]],
    rules: AttributionConfig,
) -> Iterable[tuple[object, ...]]:
    """Yield the rows of credits of one conversion, without the version of the rules."""
    invalid = invalid_reason(conversion, rules)
    ways = [
        (user, _Way(conversion, paths[conversion["id"], user.user_id], is_reinstall, rules))
        for user in users
        for is_reinstall in [(conversion["id"], user.user_id) in reinstalls]
        if invalid is None
    ]
    left = MICROS - sum(user.micros for user, _ in ways)
    value = int((conversion["value"] or Decimal(0)) * MICROS)
    for model in rules.models:
        parts = {
            (outcome, user.user_id, touch_id, reason): micros
            for user, way in ways
            for outcome, touch_id, reason, micros in way.parts(model, user.micros)
        }
        if left:
            parts["unmatched" if invalid is None else "rejected", None, None, invalid] = left
        shares = {key: Fraction(micros) for key, micros in parts.items()}
        values = apportion(value, shares, lambda key: tuple(map(_nulls_last, key)))
        touches = {(u.user_id, t["touch_id"]): t for u, way in ways for t in way.allowed}
        for key, micros in parts.items():
            outcome, user_id, touch_id, reason = key
            touch = touches.get((user_id, touch_id), _NO_TOUCH)
            yield (
                conversion["id"], str(model), outcome, user_id, touch_id, micros, values[key],
                conversion["time"].date(), touch["campaign_id"], touch["event_time"], reason,
            )  # fmt: skip


class _Way:
    """One user's path to one conversion, and what earns where no touch does."""

    def __init__(
        self, conversion: Row, path: list[Row], is_reinstall: bool, rules: AttributionConfig
    ) -> None:
        self.rules = rules
        self.allowed = [] if is_reinstall else [t for t in path if t["reason"] is None]
        self.path = Path(
            conversion,
            sorted(self.allowed, key=lambda t: (t["event_time"], t["touch_id"])),
            by_precedence(self.allowed, rules),
        )
        self.otherwise: tuple[str, str | None] = ("organic", None)
        if is_reinstall:
            self.otherwise = "organic", "reinstall"
        elif path and not self.allowed:
            self.otherwise = "rejected", by_precedence(path, rules)[0]["reason"]

    def parts(self, model: Model, micros: int) -> Iterable[tuple[str, str | None, str | None, int]]:
        """Yield outcome, touch, reason and credit of what a model gives."""
        found = apportion(micros, weights(model, self.path, self.rules), _nulls_last)
        for touch_id, part in found.items():
            outcome, reason = self.otherwise if touch_id is None else ("touch", None)
            if part:
                yield outcome, touch_id, reason, part


def _nulls_last(value: object) -> tuple[bool, object]:
    return value is None, value
