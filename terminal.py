"""What adscribe shows on a terminal: tables, trees, a progress bar, and how a command ends."""

import json
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import polars as pl
from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from attribution import ConversionExplanation
from matching import Evaluation, SignalExplanation
from warehouse.errors import AdscribeError, ConfigError

_SPEAKING = (
    "outcome", "reason", "role", "kind", "event_name", "status", "method", "event_time", "surface",
    "currency", "model",
)  # fmt: skip
_MOST_ROWS = 60
_WIDTH_OF_FILES = 200
_GAP = 2  # between two columns of a table
_STYLES = {
    "won": "bold green", "followed": "bold green", "agrees": "green", "touch": "green",
    "unmatched": "yellow", "organic": "cyan", "rejected": "red", "failed": "red",
    "interrupted": "red", "shared_identifier": "yellow", "other_user": "yellow",
    "too_many_users": "yellow", "too_many_identifiers": "yellow", "vetoed": "red",
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


def guard(command_line: Callable[[], object]) -> None:
    """Run a command line so that whatever ends it early is one line and an exit code.

    Errors made on purpose end with 1, an interrupt or termination with 128 and the signal's number.
    Under ADSCRIBE_TRACEBACK a defect shows its traceback.
    """
    stopped = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        command_line()
    except AdscribeError as error:
        _tell(" ".join(str(error).split()))
        raise SystemExit(1) from error
    except BaseException as error:
        if stopped:  # DuckDB and click turn an interrupt into errors of their own
            _tell(
                "stopped. Finished stages are kept, nothing of the one at work; run the command "
                "again."
            )
            raise SystemExit(128 + stopped[0]) from error
        if isinstance(error, SystemExit) or "ADSCRIBE_TRACEBACK" in os.environ:
            raise
        # The message and the traceback may hold rows of the logs.
        _tell(
            f"{type(error).__name__}: a defect of adscribe. Please report it with what the command "
            "prints under ADSCRIBE_TRACEBACK=1, after a look that it holds no secret."
        )
        raise SystemExit(1) from error


def _tell(message: str) -> None:
    sys.stderr.write(f"adscribe: {message}\n")


class _ConsoleHandler(logging.Handler):
    """Print log lines above a progress bar that may be on the same console."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(self.format(record)), soft_wrap=True)


@contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """Print what is logged and, on a terminal, show a bar; give a function that moves it.

    The function takes what is being done and the share done, from 0 to 1.
    """
    console = err()
    columns = (TextColumn("{task.description:<28}"), BarColumn(40), TimeElapsedColumn())
    handler, log = _ConsoleHandler(console), logging.getLogger("adscribe")
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        hidden = not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
            task = bar.add_task("", total=1.0)
            yield lambda text, share: bar.update(task, description=text, completed=share)
    finally:
        log.removeHandler(handler)


def show_frame(frame: pl.DataFrame, *, title: str, console: Console | None = None) -> None:
    """Print a frame as a table, as many of its columns and rows as fit.

    Columns are left out from the right and rows from the middle; a line below says so.
    """
    console = console or out()
    half = _MOST_ROWS // 2
    shown = frame if len(frame) <= _MOST_ROWS else pl.concat([frame.head(half), frame.tail(half)])
    whole = {name: max(_width(shown[name]), len(name)) for name in shown.columns}
    broken = {name: _width(shown[name]) for name in shown.columns}
    widths = whole if len(_fitting(whole, console.width)) == len(whole) else broken
    fitting = _fitting(widths, console.width)
    table = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False)
    for name in fitting:
        number = shown.schema[name].is_numeric()
        table.add_column(
            name.replace("_", " "),
            justify="right" if number else "left",
            width=widths[name],
            overflow="fold",
        )
    for place, row in enumerate(shown.select(fitting).iter_rows()):
        if len(frame) > _MOST_ROWS and place == half:
            table.add_section()
        table.add_row(*(_cell(value) for value in row))
    console.print(title, style="bold")
    console.print(table)
    _say_what_is_left_out(frame, frame.columns[len(fitting) :], console)


def _width(column: pl.Series) -> int:
    """Return the columns that a column needs: its longest cell and header word, at most 40."""
    cells = (len(_text(value)) for value in column)
    words = (len(word) for word in column.name.split("_"))
    return min(max((*cells, *words)), 40)


def _fitting(widths: Mapping[str, int], width: int) -> list[str]:
    """Return the leading columns that fit into `width`; at least one."""
    names: list[str] = []
    used = -_GAP
    for name, wide in widths.items():
        used += wide + _GAP
        if names and used > width:
            break
        names.append(name)
    return names


def _say_what_is_left_out(frame: pl.DataFrame, columns: list[str], console: Console) -> None:
    parts = []
    if frame.is_empty():
        parts.append("no rows")
    if len(frame) > _MOST_ROWS:
        half = _MOST_ROWS // 2
        parts.append(f"{len(frame):,} rows, the first and last {half} shown")
    if columns:
        parts.append(f"not shown for want of width: {', '.join(columns)}")
    if len(frame) > _MOST_ROWS or columns:
        parts.append("all with --format csv")
    if parts:
        console.print("; ".join(parts), style="dim", soft_wrap=True)


def show_written(folder: Path, rows: Mapping[str, int]) -> None:
    """Print how many rows of each table were written to a folder."""
    console = out()
    for table, count in rows.items():
        console.print(f"{table:<14} {count:>12,} rows")
    console.print(f"written to {folder}", soft_wrap=True)


def show_json(value: object) -> None:
    """Print plain values as JSON; times and decimals as text."""
    sys.stdout.write(json.dumps(value, default=str, indent=2) + "\n")


def save(path: Path, content: bytes) -> None:
    """Write a file.

    Raises
    ------
    ConfigError
        If it cannot be written.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}. Name a file that can be written.") from error


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


def show_signal(explanation: SignalExplanation, *, console: Console | None = None) -> None:
    """Print why a signal was matched as it was, as a tree."""
    signal, rows = explanation.signal, explanation.identifiers
    tree = Tree(_line("", signal, ("signal_id",)))
    tree.add(_line("", signal, ("advertiser_id", "event_name", "event_time", "order_id")))
    tree.add(f"read on {signal['day']} from {signal['source_file']}, row {signal['source_row']}")
    if signal["role"] is not None:
        tree.add(_line("", signal, ("role", "conversion_id")))
    match = tree.add("match")
    if signal["user_id"] is not None:
        match.add(_line("", signal, ("user_id", "method", "match_probability", "model_version")))
    elif any(row["outcome"] == "vetoed" for row in rows):
        match.add("no user: an identifier that is unique names somebody else")
    else:
        match.add("no user: none of its identifiers names one")
    identifiers = tree.add(f"identifiers ({len(rows)})")
    for row in rows:
        named = "user_id" if row["users"] == 1 else "users"
        line = _line(str(row["method"]), row, ("outcome", *([named] if row["users"] else [])))
        branch = identifiers.add(line)
        if row["users"]:
            branch.add(_when_seen(row))
    (console or out()).print(tree)


def _when_seen(row: Mapping[str, object]) -> Text:
    first, last = _text(row["first_day"]), _text(row["last_day"])
    days = first if first == last else f"{first} to {last}"
    text = Text().append("seen ", style="dim").append(days)
    if row["sources"] is not None:
        text.append(" in ", style="dim").append(str(row["sources"]))
    return text


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
        ("role", "event_time", "signal_id", "user_id", "method"),
    )
    _branch(
        tree, "touches, the latest first", explanation.touches,
        ("reason", "kind", "event_time", "campaign_id", "surface", "touch_id"),
    )  # fmt: skip
    _branch(
        tree, "credit", [_in_units(row) for row in explanation.credits],
        ("model", "outcome", "campaign_id", "credit", "value", "user_id", "touch_id"),
    )  # fmt: skip
    out().print(tree)


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
        branch.add(_line("", row, names))


def _line(head: str, row: Mapping[str, object], names: Sequence[str]) -> Text:
    text = Text(head, style="bold")
    for name in names:
        if row.get(name) is None:
            continue
        value = _text(row[name])
        text.append("  " if len(text) else "")
        if name not in _SPEAKING:
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
