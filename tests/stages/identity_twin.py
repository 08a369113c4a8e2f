"""The identity graph in plain Python, after docs/identities.md: slow, obvious, all logs at once.

An identifier is known by its kind and keyed digest. What each identifier of a signal says is worked
out one signal and one kind at a time.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final
from uuid import UUID

import polars as pl

from tests.stages.settings import KEY
from tests.stages.worlds import Logs
from warehouse.config import Config, IdentitiesConfig, IdentityRule, Method
from warehouse.recipes import Field, digests, refusals

Row = dict[str, object]
Kinds = dict[str, set[str]]

EVER: Final = 36_500
_LEARNED: Final = ("cookie_id", "device_id", "external_id")
_OF_ACTIVITY: Final = {
    "email": ("email_sha256", Field.EMAIL),
    "phone": ("phone_sha256", Field.PHONE),
    "device_id": ("device_id", Field.EXTERNAL_ID),
    "cookie_id": ("cookie_id", Field.EXTERNAL_ID),
}


@dataclass(frozen=True)
class Link:
    """An identifier and a user that one source saw together."""

    kind: str
    digest: str
    user: str
    source: str
    scope: str
    first_day: date
    last_day: date
    observations: int


@dataclass(frozen=True)
class Said:
    """What one kind of identifier of one signal says: whom it names, or why nobody."""

    reason: str | None
    users: frozenset[str]
    spoken: frozenset[str]

    @property
    def user(self) -> str | None:
        """Return the one user that it names."""
        return None if self.reason else min(self.users)


class Graph:
    """Links, to be asked what they say on a day."""

    def __init__(self, links: Iterable[Link], rules: IdentitiesConfig) -> None:
        self._rules = rules
        self._by_digest = defaultdict(list)
        self._by_user = defaultdict(list)
        for link in links:
            self._by_digest[link.kind, link.digest].append(link)
            self._by_user[link.user, link.kind, link.scope].append(link)

    def said(self, kind: str, found: set[str], scope: str, day: date) -> Said | None:
        """Return what the digests of one kind say on a day; None where they are unknown."""
        rule = rule_of(self._rules, kind)
        users = {
            link.user
            for digest in found
            for link in self._by_digest[kind, digest]
            if _speaks(link, rule, day)
        }
        if not users:
            return None
        if len(users) > rule.users:
            return Said("too_many_users", frozenset(), frozenset(users))
        light = {user for user in users if not self._is_heavy(user, kind, scope, day)}
        if not light:
            return Said("too_many_identifiers", frozenset(), frozenset(users))
        reason = "shared_identifier" if len(light) > 1 else None
        return Said(reason, frozenset(light), frozenset(users))

    def _is_heavy(self, user: str, kind: str, scope: str, day: date) -> bool:
        rule = rule_of(self._rules, kind)
        links = self._by_user[user, kind, scope]
        speaking = {link.digest for link in links if _speaks(link, rule, day)}
        return rule.per_user is not None and len(speaking) > rule.per_user


def rule_of(rules: IdentitiesConfig, kind: str) -> IdentityRule:
    """Return the rule of one kind."""
    return rules.rule(Method(kind))


def _speaks(link: Link, rule: IdentityRule, day: date) -> bool:
    grace = timedelta(days=EVER if rule.days is None else rule.days)
    return link.first_day - grace <= day <= link.last_day + grace


@cache
def keyed_digest(kind: str, value: str) -> str:
    """Return the keyed digest of an identifier, written as a UUID."""
    code = hmac.new(KEY.secrets[0], f"{kind}:{value}".encode(), hashlib.sha256)
    return str(UUID(code.hexdigest()[:32]))


def links_of_logs(logs: Logs, touches: list[Row]) -> list[Link]:
    """Return what activity and clicks show."""
    seen = defaultdict(list)
    for day, content in logs.items():
        for kind, (column, field) in _OF_ACTIVITY.items():
            values = [(row[column] or "").strip().lower() for row in content.activity]
            nobodys = refusals(pl.Series(values, dtype=pl.String), field=field)
            for row, value, refusal in zip(content.activity, values, nobodys, strict=True):
                if row[column] is not None and refusal is None:
                    key = (kind, keyed_digest(kind, value), row["user_id"], "activity", "")
                    seen[key].append(day)
    for touch in touches:
        if touch["click_id"] is not None:
            digest = keyed_digest("click_id", touch["click_id"].strip())
            seen["click_id", digest, touch["user_id"], "touchpoints", ""].append(touch["day"])
    return _links(seen)


def _links(seen: dict[tuple[str, ...], list[date]]) -> list[Link]:
    return [Link(*key, min(days), max(days), len(days)) for key, days in seen.items()]


def identifiers_of(signals: list[Row]) -> dict[str, Kinds]:
    """Return the digests of each signal by kind, of all recipes together."""
    usable = [row for row in signals if row.get("consent") != "denied"]
    found: dict[str, Kinds] = {row["signal_id"]: defaultdict(set) for row in signals}
    country = pl.Series([row.get("country") for row in usable], dtype=pl.String)
    for kind, field in (
        ("email", Field.EMAIL),
        ("phone", Field.PHONE),
        ("external_id", Field.EXTERNAL_ID),
    ):
        values = pl.Series([row.get(kind) for row in usable], dtype=pl.String)
        made = digests(values, field=field, country=country).rows()
        for row, texts in zip(usable, made, strict=True):
            scope = f"{row['advertiser_id']}:" if kind == "external_id" else ""
            for text in set(texts) - {None}:
                found[row["signal_id"]][kind].add(keyed_digest(kind, scope + text))
    for kind in ("click_id", "device_id", "cookie_id"):
        values = [row[kind] and row[kind].strip() for row in usable]
        nobodys = refusals(pl.Series(values, dtype=pl.String), field=Field.EXTERNAL_ID)
        for row, value, refusal in zip(usable, values, nobodys, strict=True):
            if value is not None and refusal is None:
                text = value if kind == "click_id" else value.lower()
                found[row["signal_id"]][kind].add(keyed_digest(kind, text))
    return found


def scope_of(signal: Row, kind: str) -> str:
    """Return where an identifier of a signal means something: at its advertiser, or anywhere."""
    return signal["advertiser_id"] if kind == "external_id" else ""


def what_is_said(signal: Row, kinds: Kinds, graph: Graph, order: list[str]) -> dict[str, Said]:
    """Return what the identifiers of a signal say, in the order of trust."""
    said = {}
    for kind in order:
        if kind in kinds:
            answer = graph.said(kind, kinds[kind], scope_of(signal, kind), signal["day"])
            if answer is not None:
                said[kind] = answer
    return said


def lessons(
    signals: list[Row], identifiers: dict[str, Kinds], links: list[Link], config: Config
) -> list[tuple[object, ...]]:
    """Return the rows of signal_evidence: what signals teach by the links of the logs alone."""
    graph = Graph(links, config.identities)
    order = [str(method) for method in config.matching.order]
    taught = []
    for signal in signals:
        kinds = identifiers[signal["signal_id"]]
        said = what_is_said(signal, kinds, graph, order)
        for kind in _LEARNED:
            others = [answer for other, answer in said.items() if other != kind]
            named = {answer.user for answer in others} - {None}
            # one that is known on that day, but for other users only, objects
            if len(named) == 1 and all(named <= answer.spoken for answer in others):
                scope, user = scope_of(signal, kind), min(named)
                taught += [
                    (
                        signal["day"],
                        signal["signal_id"],
                        kind,
                        digest,
                        scope,
                        user,
                        signal["event_time"],
                    )
                    for digest in kinds.get(kind, ())
                ]
    return taught


def links_of_lessons(taught: list[tuple], config: Config) -> list[Link]:
    """Return the links that lessons make; a unique identifier stays with its first user."""
    seen = defaultdict(list)
    claims: dict[tuple, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for day, signal, kind, digest, scope, user, time in taught:
        seen[kind, digest, user, "signals", scope].append(day)
        claims[kind, digest, scope][user].append((day, time, signal))
    unique = {str(kind) for kind in config.matching.order if config.identities.rule(kind).unique}
    return [
        link
        for link in _links(seen)
        if link.kind not in unique
        or link.user == _first(claims[link.kind, link.digest, link.scope])
    ]


def _first(claims: dict[str, list]) -> str:
    """Return who was taught first: on the first day, by the earliest event, by the first id."""
    return min(
        claims,
        key=lambda user: (*(min(column) for column in zip(*claims[user], strict=True)), user),
    )


def events(links: list[Link], today: date, config: Config) -> list[tuple[object, ...]]:
    """Return the rows of identity_events, days to come left out."""
    spans = defaultdict(lambda: defaultdict(list))
    for link in links:
        spans[link.kind, link.digest][link.user] += [link.first_day, link.last_day]
    rows: list[tuple] = []
    for (kind, digest), users in spans.items():
        if kind not in config.matching.order:
            continue
        rule = rule_of(config.identities, kind)
        old = timedelta(days=(EVER if rule.days is None else rule.days) + 1)
        lives = {user: (min(days), max(days) + old) for user, days in users.items()}
        for user, (first, end) in lives.items():
            rows.append((first, kind, digest, "merged", user, None))
            rows.append((end, kind, digest, "split", user, None))
        before = "nobody"
        for day in sorted({day for life in lives.values() for day in life}):
            count = sum(first <= day < end for first, end in lives.values())
            state = _state(count, rule)
            if state != before and state in ("shared", "suppressed"):
                rows.append((day, kind, digest, state, None, count))
            if state == "one" and before in ("shared", "suppressed"):
                rows.append((day, kind, digest, "recovered", None, count))
            before = state
    return [row for row in rows if row[0] <= today]


def _state(users: int, rule: IdentityRule) -> str:
    if users > rule.users:
        return "suppressed"
    return ("nobody", "one")[users] if users < 2 else "shared"
