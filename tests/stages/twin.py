"""Matching and attribution in plain Python: slow, obvious, and from all logs at once.

It knows no days' order, no replaced days and no temporary tables: the tables are a function of the
logs. What adscribe leaves behind after any history must equal this.
"""

from collections.abc import Iterable
from datetime import date

from tests.stages.attribution_twin import Logged, attribution_of
from tests.stages.candidates import Candidate, candidates_of
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
from warehouse.config import Config

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
    matches: dict[str, list[Candidate]] = {}
    conflicts = []
    for signal in signals:
        said = what_is_said(signal, identifiers[signal["signal_id"]], graph, order)
        method, user, vetoed = _decision(said, config)
        if method is not None and not vetoed:
            matches[signal["signal_id"]] = [Candidate(user, method, 1.0, 1, True)]
        else:
            matches[signal["signal_id"]] = candidates_of(signal["signal_id"])
        conflicts += _conflicts(signal, said, user, vetoed=vetoed)
    logged = Logged(
        [row for content in logs.values() for row in content.activity],
        touches,
        signals,
        identifiers,
        matches,
    )
    rows = {
        "identity_links": (tuple(vars(link).values()) for link in links),
        "signal_evidence": taught,
        "identity_events": events(links, _newest(logs), config),
        "matches": (
            (s["day"], s["signal_id"], *candidate)
            for s in signals
            for candidate in matches[s["signal_id"]]
        ),
        "match_conflicts": conflicts,
        **attribution_of(logged, config),
    }
    return {name: _sorted(told) for name, told in rows.items()}


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
            device = {} if row["consent"] != "denied" else {"user_agent": None, "ip": None}
            first.setdefault(row["signal_id"], {**row, **device, "day": day})
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


def _sorted(rows: Iterable[tuple]) -> list[tuple]:
    return sorted(rows, key=lambda row: [(cell is not None, cell) for cell in row])
