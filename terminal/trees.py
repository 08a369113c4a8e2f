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
    "currency", "model", "assisted", "certainty", "invalid",
)  # fmt: skip
_TOUCH = ("reason", "assisted", "kind", "event_time", "campaign_id", "surface", "touch_id")


def show_conversion(explanation: ConversionExplanation, *, console: Console | None = None) -> None:
    """Print why a conversion was credited as it was, as a tree."""
    conversion = explanation.conversion
    tree = Tree(line(conversion, ("conversion_id", "status")))
    tree.add(line(conversion, ("advertiser_id", "event_name", "event_time", "value", "currency")))
    _branch(
        tree, "signals", explanation.signals,
        ("role", "event_time", "signal_id", "user_id", "method"),
    )  # fmt: skip
    _add_rules(tree, explanation.rules)
    _add_candidates(tree, explanation)
    _add_credits(tree, explanation.credits)
    if any(row["outcome"] == "unmatched" for row in explanation.credits):
        tree.add(f"see: adscribe explain match {conversion['conversion_id']}")
    (console or out()).print(tree)


def _add_rules(tree: Tree, rules: Sequence[Mapping[str, object]]) -> None:
    """Add the rules that the conversion was credited under, and the windows of each method."""
    for row in rules:
        names = row["models"]
        models = ", ".join(names) if isinstance(names, list) else ""
        version = "not kept" if row["rules_version"] is None else plain(row["rules_version"])
        several = f" of {models}" if len(rules) > 1 else ""
        branch = tree.add(Text().append("rules ", style="dim").append(f"{version}{several}"))
        if not row["as_given"]:
            branch.add("not those of the configuration given, by which touches are judged here")
        methods = row["methods"]
        for windows in methods if isinstance(methods, list) else []:
            branch.add(_windows(windows))


def _windows(windows: Mapping[str, object]) -> Text:
    """Return until when before a conversion a touch may earn, and from when on where it is told."""
    text = Text(str(windows["method"])).append("  click within ", style="dim")
    text.append(f"{plain(windows['click_window_hours'])} h")
    text.append("  engaged view ", style="dim")
    text.append(f"{plain(windows['engaged_view_window_hours'])} h")
    text.append("  impression ", style="dim").append(f"{plain(windows['view_window_hours'])} h")
    for kind in ("click", "view"):
        if windows[f"least_{kind}_seconds"]:
            least = f"{plain(windows[f'least_{kind}_seconds'])} s"
            text.append(f"  no {kind} of the last ", style="dim").append(least)
    return text


def _add_candidates(tree: Tree, explanation: ConversionExplanation) -> None:
    """Add each user who may have made the conversion, and below him what he saw before it."""
    candidates = explanation.candidates
    users = tree.add(f"candidates ({len(candidates)}), and their touches, the latest first")
    for row in candidates:
        certainty = "declared" if row["declared"] else "not declared"
        branch = users.add(
            line(
                {**row, "certainty": certainty},
                ("user_id", "method", "match_probability", "certainty", "invalid"),
            )
        )
        touches = [touch for touch in explanation.touches if touch["user_id"] == row["user_id"]]
        for touch in touches:
            assisted = "assist" if touch["assist"] else None
            branch.add(line({**touch, "assisted": assisted}, _TOUCH))
        if not touches:
            branch.add("no touch of this advertiser in the longest window before it")


def _add_credits(tree: Tree, credits: Sequence[Mapping[str, object]]) -> None:
    """Add the credit, a branch for each model."""
    branch = tree.add("credit")
    for model in dict.fromkeys(row["model"] for row in credits):
        rows = [_in_units(row) for row in credits if row["model"] == model]
        _branch(
            branch, str(model), rows,
            (
                "outcome", "reason", "campaign_id", "credit", "value", "user_id", "touch_id",
                "basis", "correction",
            ),
            fits=[_fit(row) for row in rows[:1] if row.get("model_version") is not None],
        )  # fmt: skip


def _fit(row: Mapping[str, object]) -> Text:
    """Return which version of a model gave the credit, and the log days that it was fitted on."""
    text = Text().append("fitted ", style="dim").append(str(row["model_version"]))
    text.append("  on ", style="dim")
    if row.get("fitted_until") is None:
        return text.append("days that are not kept")
    return text.append(f"{plain(row['fitted_from'])} to {plain(row['fitted_until'])}")


def _in_units(row: Mapping[str, object]) -> dict[str, object]:
    """Add the credit and value of a row in conversions and units of its currency."""
    micros = {name: row[f"{name}_micros"] for name in ("credit", "value")}
    units = {name: count / 1e6 for name, count in micros.items() if isinstance(count, int)}
    return {**row, **units}


def _branch(
    tree: Tree,
    title: str,
    rows: Sequence[Mapping[str, object]],
    names: Sequence[str],
    *,
    fits: Sequence[Text] = (),
) -> None:
    branch = tree.add(f"{title} ({len(rows)})")
    for text in fits:
        branch.add(text)
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
