"""Explanations as trees: of conversions here, of signals in ``signal_trees``."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from attribution import ConversionExplanation
from terminal.console import out
from terminal.values import plain, styled

_SPEAKING = (
    "outcome", "reason", "role", "kind", "event_name", "status", "method", "event_time", "surface",
    "currency", "model",
)  # fmt: skip


def show_conversion(explanation: ConversionExplanation, *, console: Console | None = None) -> None:
    """Print why a conversion was credited as it was, as a tree."""
    conversion = explanation.conversion
    tree = Tree(line(conversion, ("conversion_id", "status")))
    tree.add(line(conversion, ("advertiser_id", "event_name", "event_time", "value", "currency")))
    _branch(
        tree, "signals", explanation.signals,
        ("role", "event_time", "signal_id", "user_id", "method"),
    )  # fmt: skip
    _branch(
        tree, "touches, the latest first", explanation.touches,
        ("reason", "kind", "event_time", "campaign_id", "surface", "touch_id"),
    )  # fmt: skip
    _branch(
        tree, "credit", [_in_units(row) for row in explanation.credits],
        ("model", "outcome", "campaign_id", "credit", "value", "user_id", "touch_id"),
    )  # fmt: skip
    if any(row["outcome"] == "unmatched" for row in explanation.credits):
        tree.add(f"see: adscribe explain match {conversion['conversion_id']}")
    (console or out()).print(tree)


def _in_units(row: Mapping[str, object]) -> dict[str, object]:
    """Add the credit and value of a row in conversions and units of its currency."""
    micros = {name: row[f"{name}_micros"] for name in ("credit", "value")}
    units = {name: count / 1e6 for name, count in micros.items() if isinstance(count, int)}
    return {**row, **units}


def _branch(
    tree: Tree, title: str, rows: Sequence[Mapping[str, object]], names: Sequence[str]
) -> None:
    branch = tree.add(f"{title} ({len(rows)})")
    for row in rows:
        branch.add(line(row, names))


def line(row: Mapping[str, object], names: Sequence[str]) -> Text:
    """Return columns of a row beside each other, each but the speaking ones after its name."""
    text = Text()
    for name in names:
        if row.get(name) is None:
            continue
        text.append("  " if len(text) else "")
        if name not in _SPEAKING:
            text.append(f"{name.removesuffix('_id').replace('_', ' ')} ", style="dim")
        text.append_text(styled(plain(row[name])))
    return text
