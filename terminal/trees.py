"""Explanations as trees: of conversions here, of signals in ``signal_trees``."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from attribution import ConversionExplanation
from terminal.console import out
from terminal.pieces import Pieces, named
from terminal.values import plain, styled

_SPEAKING: Final = (
    "outcome", "reason", "role", "kind", "event_name", "status", "method", "event_time", "surface",
    "currency", "model", "assisted", "certainty", "invalid",
)  # fmt: skip
_TOUCH: Final = (
    "reason", "assisted", "kind", "event_time", "campaign_id", "surface", "touch_id",
)  # fmt: skip
_CREDIT: Final = (
    "outcome", "reason", "campaign_id", "credit", "value", "user_id", "touch_id", "basis",
)  # fmt: skip
_LEAST: Final = 0.0001  # that four digits tell
_LEAST_PERCENT: Final = 0.001


def show_conversion(explanation: ConversionExplanation, *, console: Console | None = None) -> None:
    """Print why a conversion was credited as it was, as a tree."""
    conversion = explanation.conversion
    tree = Tree(line(conversion, ("conversion_id", "status", "order_id")))
    tree.add(line(conversion, ("advertiser_id", "event_name", "event_time", "value", "currency")))
    signals = tree.add(f"signals ({len(explanation.signals)})")
    for row in explanation.signals:
        signals.add(line(row, ("role", "event_time", "signal_id", "user_id", "method")))
    _add_rules(tree, explanation.rules)
    _add_candidates(tree, explanation)
    _add_credits(tree, explanation.credits)
    if any(row["outcome"] == "unmatched" for row in explanation.credits):
        tree.add(Text(f"see: adscribe explain match {conversion['conversion_id']}"))
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


def _windows(windows: Mapping[str, object]) -> Pieces:
    """Return until when before a conversion a touch may earn, and from when on where it is told."""
    pieces = [
        Text(str(windows["method"])),
        named("click within", f"{plain(windows['click_window_hours'])} h"),
        named("engaged view", f"{plain(windows['engaged_view_window_hours'])} h"),
        named("impression", f"{plain(windows['view_window_hours'])} h"),
    ]
    for kind in ("click", "view"):
        if windows[f"least_{kind}_seconds"]:
            least = f"{plain(windows[f'least_{kind}_seconds'])} s"
            pieces.append(named(f"no {kind} of the last", least))
    return Pieces(pieces)


def _add_candidates(tree: Tree, explanation: ConversionExplanation) -> None:
    """Add each user who may have made the conversion, and below him what he saw before it."""
    candidates = explanation.candidates
    users = tree.add(
        f"candidates ({len(candidates)}), their touches, the latest first "
        "(reasons: under last_touch)"
    )
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
    whole = tree.add("credit, of each user the latest touch first")
    for model in dict.fromkeys(row["model"] for row in credits):
        rows = [_in_units(row) for row in credits if row["model"] == model]
        branch = whole.add(f"{model} ({len(rows)})")
        if rows[0].get("model_version") is not None:
            branch.add(_fit(rows[0]))
        if rows[0].get("model_kept") is False:
            branch.add("no rates: this version is not kept any more")
        if rows[0].get("rates_hold") is False:
            branch.add("no rates: what is stored of its users has changed since")
        for campaign, correction in _corrections(rows).items():
            branch.add(_correction(campaign, correction))
        for row in rows:
            branch.add(Pieces([*_pieces(row, _CREDIT), *_rates(row)]))


def _fit(row: Mapping[str, object]) -> Pieces:
    """Return which version of a model gave the credit, and the log days that it was fitted on."""
    days = "days that are not kept"
    if row.get("fitted_until") is not None:
        days = f"{plain(row['fitted_from'])} to {plain(row['fitted_until'])}"
    return Pieces([named("fitted", str(row["model_version"])), named("on", days)])


def _corrections(rows: Sequence[Mapping[str, object]]) -> dict[str, float]:
    """Return the correction of each campaign that has one."""
    found = {str(row.get("campaign_id")): row.get("correction") for row in rows}
    return {name: value for name, value in found.items() if isinstance(value, float) and value}


def _correction(campaign: str, correction: float) -> Pieces:
    """Return what the model incremental did to what the hazard gives a campaign."""
    part = abs(correction)
    percent = f"{part:.1%}" if part >= _LEAST_PERCENT else f"<{_LEAST_PERCENT:.1%}"
    became = "of its hazard credit made organic"
    if correction > 0:
        became = "of the organic rest made its credit"
    value = f"{campaign} {_rounded(correction)}"
    return Pieces([named("correction", value), Text(f"{percent} {became}")])


def _rates(row: Mapping[str, object]) -> list[Text]:
    """Return the rate of a touch, or the organic one, of that of its path, and its age."""
    whole, age = row.get("total_rate_per_hour"), row.get("age_hours")
    rate = row.get("organic_rate_per_hour" if row.get("touch_id") is None else "rate_per_hour")
    if not isinstance(whole, float) or not isinstance(rate, float):
        return []
    found = [named("rate", f"{_figures(rate)} an hour of {_figures(whole)} in all")]
    if isinstance(age, float):
        hours = f"{age:,.1f}" if age >= 1 else _figures(age)
        found.append(Text(f"{hours} hours before"))
    return found


def _figures(number: float) -> str:
    """Return a number with three digits that say something, and no exponent."""
    return f"{Decimal(f'{number:.3g}'):f}"


def _in_units(row: Mapping[str, object]) -> dict[str, object]:
    """Add the credit and value of a row in conversions and units of its currency."""
    micros = {name: row[f"{name}_micros"] for name in ("credit", "value")}
    units = {name: count / 1e6 for name, count in micros.items() if isinstance(count, int)}
    return {**row, **units}


def line(row: Mapping[str, object], names: Sequence[str]) -> Pieces:
    """Return columns of a row beside each other, each but the speaking ones after its name."""
    return Pieces(_pieces(row, names))


def _pieces(row: Mapping[str, object], names: Sequence[str]) -> list[Text]:
    return [
        styled(_rounded(row[name]))
        if name in _SPEAKING
        else named(name.removesuffix("_id").replace("_", " "), styled(_rounded(row[name])))
        for name in names
        if row.get(name) is not None
    ]


def _rounded(value: object) -> str:
    """Return a value as text; what four digits would round to nothing as less than their least."""
    if isinstance(value, float) and 0 < abs(value) < _LEAST / 2:
        return f"<{_LEAST}" if value > 0 else f">-{_LEAST}"
    return plain(value)
