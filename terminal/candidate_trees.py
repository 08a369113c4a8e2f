"""Who competed for a signal, as branches of its tree; within 80 columns, and readable in grey."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from matching import Candidacy, Outcome
from terminal.values import plain, styled

LABELS: Final = {
    "address": "address", "network": "network", "site": "site", "device": "device",
    "agent": "user agent", "screen": "screen", "place": "town", "language": "language",
    "timezone": "timezone", "purchase": "order",
}  # fmt: skip
"""Single kinds of token that are told of; others are made of these."""
_MISSED: Final = ("address", "agent", "screen", "place", "language", "timezone")
_STEPS: Final = 8
_WIDTH: Final = 26
_UNREACHED: Final = 1.0  # a threshold above it
_OUTCOMES: Final = {
    Outcome.NO_MODEL: "no model served its log day: too few signals of users were known by then to "
    "train one, or the configuration turned models off",
    Outcome.BOT: "not sought: its user agent is that of a bot",
    Outcome.FORGOTTEN: "not sought again: its user was forgotten",
}

Row = Mapping[str, Any]


def add_candidates(tree: Tree, found: Candidacy) -> None:
    """Add who competed for a signal, what each shares with it, and what the model made of that."""
    if found.outcome in _OUTCOMES:
        tree.add("candidates").add(_OUTCOMES[found.outcome])
        return
    if found.outcome is Outcome.NO_CANDIDATE:
        tree.add("candidates (0)").add(f"no candidate: {_why_none(found.tokens)}")
        return
    rows: Sequence[Row] = found.candidates
    shown = "" if len(rows) >= found.competing else f", the best {len(rows)} shown"
    branch = tree.add(f"candidates ({found.competing}{shown})")
    verdict = branch.add(_verdict(found))
    if found.threshold is not None and found.threshold["expected_precision"] is not None:
        verdict.add(Text(_expected(found.threshold), style="dim"))
    if found.problem is not None:
        branch.add(Text(found.problem, style="red"))
    if found.changed:
        branch.add("no longer as kept: logs, model or configuration have changed since")
    if found.nobody is not None:
        branch.add(Text("nobody ", style="dim").append(_share(found.nobody), style="not dim"))
    missed = _missed(found.tokens)
    if missed:
        branch.add(f"the signal shows {', '.join(missed)}")
    for row in rows:
        if row["rank"] == 1:
            _add_best(branch, row, found)
        else:
            branch.add(_summary(row))


def _why_none(tokens: Sequence[Row]) -> str:
    missed = _missed(tokens)
    sought = [row for row in tokens if row["sought"] is not None]
    if not sought:
        return "it shows no network or device to compare, as where consent is not given"
    unseen = [_label(row["kind"]) for row in sought if not row["users"]]
    crowded = [
        f"{_label(row['kind'])} ({row['users']:,} of {row['of_users']:,})"
        for row in sought
        if row["users"] and not row["sought"]
    ]
    parts = [
        f"it shows {', '.join(missed)}" if missed else "",
        f"no user shows its {', '.join(unseen)}" if unseen else "",
        f"too many users share its {', '.join(crowded)}" if crowded else "",
    ]
    return "; ".join(filter(None, parts)) or "nobody else shares what it shows"


def _missed(tokens: Sequence[Row]) -> list[str]:
    shown = {row["kind"] for row in tokens}
    return [f"no {LABELS[kind]}" for kind in _MISSED if kind not in shown]


def _verdict(found: Candidacy) -> Text:
    best: Row = found.candidates[0]
    declared, limit = found.outcome is Outcome.DECLARED, found.threshold
    text = Text("declared" if declared else "not declared", style="green" if declared else "yellow")
    kept = best["kept_probability"]
    probability = best["match_probability"] if kept is None else kept
    return text.append(f": {_reason(probability, declared, limit)}", style="default")


def _reason(probability: float, declared: bool, limit: Row | None) -> str:
    if limit is None:
        return "no threshold is stored for its log day and advertiser"
    rule = (
        "probability" if limit["rule"] == "probability" else f"precision {_share(limit['target'])}"
    )
    if limit["threshold"] > _UNREACHED:
        return f"no probability is expected to reach the {rule}"
    edge = _share(limit["threshold"])
    if declared != (probability >= limit["threshold"]):
        return f"by another threshold than today's {edge} ({rule})"
    return f"{_share(probability)} is {'at least' if declared else 'below'} {edge} ({rule})"


def _expected(limit: Row) -> str:
    share, held_out = _share(limit["expected_precision"]), limit["held_out"]
    return f"expected to be right: {share} of what is declared ({held_out:,} held out)"


def _add_best(tree: Tree, row: Row, found: Candidacy) -> None:
    branch = tree.add(_name(row, bold=True))
    branch.add(Group("shared with the signal, the rarest first", _shared(row)))
    others = {shared["kind"] for shared in row["shared"]}
    unshared = [
        LABELS[token["kind"]]
        for token in _of_kinds(found.tokens, tuple(LABELS))
        if token["kind"] not in {*others, "purchase"}  # few orders are sent twice
    ]
    if unshared:
        branch.add(f"not shared: {', '.join(unshared)}")
    if row["contributions"]:
        branch.add(Group("why, in log-odds of this user against nobody", waterfall(row)))
        branch.add(_competition(row, found.competing))


def _shared(row: Row) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    for justify in ("left", "right", "right", "right", "right"):
        table.add_column(justify=justify, no_wrap=True)
    for shared in _of_kinds(row["shared"], tuple(LABELS)):
        users = f"{shared['users']:,} of {shared['of_users']:,} users"
        times = _counted(shared["times"], "time")
        days = _counted(shared["days"], "day")
        name = LABELS[shared["kind"]]
        table.add_row(name, times, days, _apart(shared["hours_before"]), users)
    return table


def waterfall(row: Row) -> Table:
    """Return what each of the largest contributions adds, from the start to the log-odds.

    Each bar begins where the one above it ends; what adds is full, what takes away is shaded.
    """
    steps = [
        (step["feature"].replace("_", " "), _figure(step["value"]), step["contribution"])
        for step in row["contributions"][:_STEPS]
    ]
    rest = row["contributions"][_STEPS:]
    if rest:
        total = sum(step["contribution"] for step in rest)
        steps.append((f"{len(rest)} others", "", total))
    reached = [row["start"]]
    for _, _, added in steps:
        reached.append(reached[-1] + added)
    low, high = min(reached), max(reached)
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True, max_width=25, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, width=_WIDTH)
    table.add_row("start", "", f"{row['start']:+.2f}", _mark(row["start"], low, high))
    for (name, value, added), begin, end in zip(steps, reached, reached[1:], strict=False):
        table.add_row(name, value, f"{added:+.2f}", _bar(begin, end, low, high))
    total = row["log_odds"]
    table.add_row(Text("log-odds", style="bold"), "", f"{total:+.2f}", _mark(total, low, high))
    return table


def _cell(value: float, low: float, high: float) -> int:
    return round((value - low) / max(high - low, 1e-9) * (_WIDTH - 1))


def _mark(value: float, low: float, high: float) -> Text:
    return Text(" " * min(_cell(value, low, high), _WIDTH - 1) + "┃")


def _bar(begin: float, end: float, low: float, high: float) -> Text:
    left, right = sorted((_cell(begin, low, high), _cell(end, low, high)))
    block, style = ("█", "green") if end >= begin else ("▒", "red")
    return Text(" " * left).append(block * (right - left + 1), style=style)


def _competition(row: Row, competing: int) -> Text:
    text = Text(_contacts(row))
    if row["contact_log_odds"]:
        text.append(f"({row['contact_log_odds']:+.2f})  ")
    if competing == 1:
        text.append("the only candidate ", style="dim")
    else:
        text.append("alone ", style="dim").append(_share(row["alone"]))
        text.append(f"  beside {_counted(competing - 1, 'other candidate')} ", style="dim")
    return text.append(_share(row["match_probability"]), style="bold")


def _contacts(row: Row) -> str:
    """Return which contacts both sides show, each followed by two spaces."""
    return "".join(
        f"{kind} {'the same' if same else 'differs'}  " for kind, same in row["contacts"].items()
    )


def _summary(row: Row) -> Text:
    text = _name(row, bold=False)
    if row.get("log_odds") is not None:
        text.append("  log-odds ", style="dim").append(f"{row['log_odds']:+.2f}")
    if row.get("contacts"):
        return text.append(f"  {_contacts(row)}".rstrip())
    kinds = [LABELS[shared["kind"]] for shared in _of_kinds(row["shared"], tuple(LABELS))]
    more = f" +{len(kinds) - 2}" if len(kinds) > 2 else ""
    return text.append("  shares ", style="dim").append(", ".join(kinds[:2]) + more)


def _name(row: Row, *, bold: bool) -> Text:
    text = Text(f"{row['rank']}  ").append("user ", style="dim").append_text(styled(row["user_id"]))
    return text.append(f"  {_share(row['match_probability'])}", style="bold" if bold else "")


def _of_kinds(rows: Sequence[Row], kinds: Sequence[str]) -> list[Row]:
    return [row for row in rows if row["kind"] in kinds]


def _label(kind: str) -> str:
    """Return the words for a kind of token, which may be made of several."""
    return " + ".join(LABELS.get(part, part) for part in kind.split("_"))


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")


def _figure(value: float | None) -> str:
    if value is None or value == round(value):
        return plain(None if value is None else round(value))
    return f"{value:,.2f}" if abs(value) < 1000 else f"{value:,.0f}"


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def _apart(hours: float) -> str:
    side, hours = ("before" if hours >= 0 else "after"), abs(hours)
    if hours < 1:
        return f"{round(hours * 60)} min {side}"
    return f"{round(hours)} h {side}" if hours < 48 else f"{round(hours / 24)} d {side}"
