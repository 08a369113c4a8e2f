"""Frames as tables, within the width of the terminal."""

from typing import Final

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from terminal.columns import Layout, lay_out
from terminal.console import out
from terminal.values import styled

_MOST_ROWS: Final = 60


def show_frame(
    frame: pl.DataFrame, *, title: str, whole: str, note: str = "", console: Console | None = None
) -> None:
    """Print a frame as a table, as many of its columns and rows as fit.

    Long text is shortened, columns are left out by what they tell (:func:`lay_out`) and rows from
    the middle; a line below says so. Headers break between words, numbers never.

    Parameters
    ----------
    frame : DataFrame
        What to print.
    title : str
        The line above it.
    whole : str
        How to see all that is left out, such as a command.
    note : str, optional
        What must be known to read it, printed below.
    console : Console, optional
        Where to print it; standard output when omitted.
    """
    console = console or out()
    half = _MOST_ROWS // 2
    shown = frame if len(frame) <= _MOST_ROWS else pl.concat([frame.head(half), frame.tail(half)])
    layout = lay_out(frame, shown, console.width)
    table = Table(
        header_style="bold", box=box.SIMPLE_HEAD, padding=(0, layout.gap - 1, 0, 0),
        show_edge=False, pad_edge=False,
    )  # fmt: skip
    for column in layout.columns:
        table.add_column(
            column.header,
            justify="right" if column.is_number else "left",
            vertical="bottom",
            width=column.width,
            no_wrap=True,
        )
    for place in range(len(shown)):
        if len(frame) > _MOST_ROWS and place == half:
            table.add_section()
        table.add_row(*(styled(column.shown(place)) for column in layout.columns))
    console.print(title, style="bold")
    console.print(table)
    _say_what_is_left_out(len(frame), layout, whole, console)
    if note:
        console.print(note, style="dim", soft_wrap=True, markup=False)


def _say_what_is_left_out(rows: int, layout: Layout, whole: str, console: Console) -> None:
    """Print a line that names what is not shown, and the values of what is the same in each row."""
    shortened = [column.title for column in layout.columns if column.width < column.longest]
    empty = [column.name for column in layout.hidden if column.is_empty]
    others = [column for column in layout.hidden if not column.is_empty]
    same = [f"{column.name} {column.cells[0]}" for column in others if column.is_the_same]
    left_out = [column.name for column in others if not column.is_the_same]
    parts = []
    if rows > _MOST_ROWS:
        parts.append(f"{rows:,} rows, the first and last {_MOST_ROWS // 2} shown")
    for what, names in (
        ("shortened", shortened),
        ("the same in every row", same),
        ("not shown for want of width", left_out),
        ("empty", empty),
    ):
        if names:
            parts.append(f"{what}: {', '.join(names)}")
    if parts:
        parts.append(f"all with {whole}")
    if not rows:
        parts.insert(0, "no rows")
    if parts:
        console.print("; ".join(parts), style="dim", soft_wrap=True, markup=False)
