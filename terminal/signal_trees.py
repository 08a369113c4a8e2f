"""Why a signal was matched as it was, as a tree."""

from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from matching import SignalExplanation
from terminal.candidate_trees import add_candidates
from terminal.console import out
from terminal.pieces import Pieces
from terminal.trees import line
from terminal.values import plain, styled
from warehouse.recipes import Recipe, Refusal

_FOR_EVER = 36_500  # days
WORDS: Final = {
    "followed": "user {user_id}",
    "agrees": "user {user_id}",
    "other_user": "names user {user_id}, whom the decisive one does not",
    "vetoed": "names user {user_id}, to whom a unique one objects",
    "shared_identifier": "names {users} users, so nobody by itself",
    "too_many_users": "names {users} users, more than {most_users}: not followed",
    "too_many_identifiers": "names only who has too many of its kind: not followed",
    "not_followed": "names user {user_id}, yet the signal has none",
    "unknown": "never seen with a user",
    "expired": "known, but not near this day",
    "not_in_order": "known, but [matching] order does not name its kind",
    Refusal.EMPTY: "refused: nothing but space",
    Refusal.SPACE_INSIDE: "refused: space inside an e-mail address",
    Refusal.MALFORMED: "refused: no such value looks like this",
    Refusal.PLACEHOLDER: "refused: typed to get past a form",
    Refusal.NO_COUNTRY: "refused: neither + nor a country to read it in",
    Refusal.IMPOSSIBLE_NUMBER: "refused: too short or too long",
    Refusal.UNSUPPORTED_HASH: "refused: MD5 or SHA-1",
    Refusal.HASH_OF_NOTHING: "refused: the SHA-256 of nothing",
    Refusal.HASH_OF_PLACEHOLDER: "refused: the SHA-256 of a placeholder",
}
"""What an outcome means, to be filled in from a row of :class:`SignalExplanation`."""


def show_signal(explanation: SignalExplanation, *, console: Console | None = None) -> None:
    """Print why a signal was matched as it was, as a tree."""
    signal, rows = explanation.signal, explanation.identifiers
    tree = Tree(line(signal, ("signal_id",)))
    tree.add(line(signal, ("advertiser_id", "event_name", "event_time", "order_id")))
    place = f"{signal['source_file']}, row {signal['source_row']}"
    tree.add(Text(f"read on {signal['day']} from {place}"))
    for row in explanation.refused:
        text = Text("refused", style="red")
        place = f"{row['source_file']} row {row['source_row']}"
        tree.add(text.append(f" as well: {row['rule']}, {place}", style="not red"))
    tree.add(Text("consent ", style="dim").append_text(styled(_consent(signal))))
    if signal["role"] is not None:
        tree.add(line(signal, ("role", "conversion_id")))
    match = tree.add("match")
    if signal["user_id"] is not None:
        match.add(line(signal, ("user_id", "method", "match_probability", "model_version")))
    else:
        match.add(f"no user: {_why_nobody(signal, rows)}")
    identifiers = tree.add(f"identifiers ({len(rows)})")
    for row in rows:
        branch = identifiers.add(_said(row))
        names = row["named_users"]
        if isinstance(names, list):
            branch.add(_users(names, row))
        if row["first_day"] is not None:
            branch.add(_when_seen(row))
        if row["learned_from"] is not None:
            own = row["learned_from"] == signal["signal_id"]
            name = "this signal" if own else f"signal {row['learned_from']}"
            branch.add(Text("learned from ", style="dim").append(f"{name} of {row['learned_day']}"))
    if explanation.by_model is not None:
        add_candidates(tree, explanation.by_model)
    (console or out()).print(tree)


def _consent(signal: Mapping[str, object]) -> str:
    return "not told" if signal["consent"] is None else str(signal["consent"])


def _why_nobody(signal: Mapping[str, object], rows: Sequence[Mapping[str, object]]) -> str:
    outcomes = {row["outcome"] for row in rows}
    if not rows and signal["consent"] == "granted":
        return "it carries no identifier"
    if not rows and signal["consent"] is None:
        return "consent not told, and none of its identifiers is stored"
    if not rows:
        return f"consent is {signal['consent']}, so none of its identifiers was kept"
    if outcomes & {"vetoed", "other_user"}:
        return "an identifier that is unique names somebody else"
    if "not_followed" in outcomes:
        return "not matched yet; run adscribe match"
    if outcomes <= set(Refusal):
        return "each of its identifiers was refused"
    return "none of its identifiers names one"


def _said(row: Mapping[str, object]) -> Pieces:
    """Return an identifier, its outcome, and what that means."""
    outcome = str(row["outcome"])
    words = WORDS[outcome].format_map({name: plain(value) for name, value in row.items()})
    users, aside = _count(row, "users"), _count(row, "set_aside")
    more = ""
    if outcome == "shared_identifier" and aside:
        more = f" ({aside} of them set aside: too_many_identifiers)"
    elif row["user_id"] is not None and users - aside > 1:
        more = f" (of {users} users, alone in all that are shared)"
    elif row["user_id"] is not None and users > 1:
        more = f" ({aside} {'other' if aside == 1 else 'others'} set aside: too_many_identifiers)"
    said = Text(f"{words}{more}")
    return Pieces([Text(str(row["method"]), style="bold"), styled(outcome), said])


def _users(names: Sequence[str], row: Mapping[str, object]) -> Text:
    more = _count(row, "users") - _count(row, "set_aside") - len(names)
    text = Text("users ", style="dim").append(", ".join(names))
    return text.append(f" and {more:,} more") if more > 0 else text


def _count(row: Mapping[str, object], name: str) -> int:
    value = row[name]
    return value if isinstance(value, int) else 0


def _when_seen(row: Mapping[str, object]) -> Text:
    first, last = plain(row["first_day"]), plain(row["last_day"])
    days = first if first == last else f"{first} to {last}"
    text = Text().append("seen ", style="dim").append(days)
    if row["sources"] is not None:
        text.append(" in ", style="dim").append(str(row["sources"]))
    recipes, ttl = row["recipes"], row["ttl_days"]
    if isinstance(recipes, list) and 0 < len(recipes) < len(Recipe):
        text.append(" as ", style="dim").append(", ".join(recipes))
    if row["outcome"] == "expired" and isinstance(ttl, int) and ttl < _FOR_EVER:
        text.append(", followed for ", style="dim").append(f"{ttl:,} days")
    return text
