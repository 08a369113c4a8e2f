"""What adscribe shows on a terminal: tables, trees and a progress bar."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime

import polars as pl
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from attribution import ConversionExplanation
from matching import Evaluation, SignalExplanation

_MOST_ROWS = 60
_WIDTH_OF_FILES = 200
_STYLES = {
    "won": "bold green", "followed": "bold green", "agrees": "green", "touch": "green",
    "unmatched": "yellow", "organic": "cyan", "rejected": "red", "failed": "red",
    "interrupted": "red", "shared_identifier": "yellow", "other_user": "yellow",
}  # fmt: skip


def out() -> Console:
    """Return the console for results, standard output."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    return console


def err() -> Console:
    """Return the console for everything else, standard error."""
    return Console(stderr=True, highlight=False)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """Show a bar on a terminal, nothing elsewhere; give a function that moves it.

    The function takes what is being done and the share done, from 0 to 1.
    """
    console = err()
    columns = (TextColumn("{task.description:<28}"), BarColumn(40), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda text, share: bar.update(task, description=text, completed=share)


def show_frame(frame: pl.DataFrame, *, title: str, console: Console | None = None) -> None:
    """Print a frame as a table, numbers to the right; the middle of a long one is left out."""
    console = console or out()
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    half = _MOST_ROWS // 2
    shown = frame if len(frame) <= _MOST_ROWS else pl.concat([frame.head(half), frame.tail(half)])
    for name, dtype in frame.schema.items():
        whole = dtype.is_numeric() or dtype == pl.Date
        table.add_column(
            name.replace("_", " "),
            justify="right" if dtype.is_numeric() else "left",
            min_width=max((len(_text(value)) for value in shown[name]), default=1)
            if whole
            else None,
            overflow="fold",
        )
    for number, row in enumerate(shown.iter_rows()):
        if len(frame) > _MOST_ROWS and number == half:
            table.add_section()
        table.add_row(*(_cell(value) for value in row))
    console.print(table)
    if frame.is_empty():
        console.print("no rows", style="dim")
    if len(frame) > _MOST_ROWS:
        console.print(
            f"{len(frame):,} rows, the first and last {half} shown; all with --format csv",
            style="dim",
        )


def show_evaluation(evaluation: Evaluation) -> None:
    """Print the figures of an evaluation."""
    console, figures = out(), evaluation.to_dict()
    rows = [
        {"figure": name.replace("_", " "), "value": _text(value)}
        for name, value in figures.items()
        if name != "by_method"
    ]
    show_frame(pl.DataFrame(rows), title="matches against the truth", console=console)
    methods = pl.DataFrame([vars(figure) for figure in evaluation.by_method])
    if len(methods):
        show_frame(methods, title="by method", console=console)


def show_signal(explanation: SignalExplanation) -> None:
    """Print why a signal was matched as it was, as a tree."""
    signal = explanation.signal
    tree = Tree(_line("", signal, ("signal_id",)))
    tree.add(_line("", signal, ("advertiser_id", "event_name", "event_time", "order_id")))
    tree.add(f"read on {signal['day']} from {signal['source_file']}, row {signal['source_row']}")
    match = tree.add("match")
    if signal["user_id"] is None:
        match.add("no user: none of its identifiers names one")
    else:
        match.add(_line("", signal, ("user_id", "method", "match_probability", "model_version")))
    identifiers = tree.add(f"identifiers ({len(explanation.identifiers)})")
    for row in explanation.identifiers:
        identifiers.add(
            _line(str(row["method"]), row, ("outcome", "user_id", "users", "first_day"))
        )
    out().print(tree)


def show_conversion(explanation: ConversionExplanation) -> None:
    """Print why a conversion was credited as it was, as a tree."""
    conversion = explanation.conversion
    tree = Tree(_line("", conversion, ("conversion_id", "status")))
    tree.add(
        _line("", conversion, ("advertiser_id", "event_name", "event_time", "value", "currency"))
    )
    _branch(
        tree,
        "signals",
        explanation.signals,
        ("role", "signal_id", "event_time", "user_id", "method"),
    )
    _branch(
        tree, "touches, the latest first", explanation.touches,
        ("reason", "kind", "campaign_id", "surface", "event_time", "touch_id"),
    )  # fmt: skip
    _branch(
        tree, "credit", explanation.credits,
        ("model", "outcome", "campaign_id", "user_id", "touch_id", "credit_micros", "value_micros"),
    )  # fmt: skip
    out().print(tree)


def _branch(
    tree: Tree, title: str, rows: Sequence[Mapping[str, object]], names: Sequence[str]
) -> None:
    branch = tree.add(f"{title} ({len(rows)})")
    for row in rows:
        branch.add(_line("", row, names))


def _line(head: str, row: Mapping[str, object], names: Sequence[str]) -> Text:
    text = Text(head, style="bold")
    for name in names:
        if row.get(name) is None:
            continue
        value = _text(row[name])
        text.append("  " if len(text) else "")
        if name not in ("outcome", "reason", "role", "kind", "event_name", "status", "method"):
            text.append(f"{name.removesuffix('_id').replace('_', ' ')} ", style="dim")
        text.append(value, style=_STYLES.get(value, ""))
    return text


def _cell(value: object) -> Text:
    text = _text(value)
    return Text(text, style=_STYLES.get(text, ""))


def _text(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return value.isoformat() if isinstance(value, date) else str(value)
