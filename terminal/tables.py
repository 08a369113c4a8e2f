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
_MODEL: Final = "model"
_BASIS: Final = "basis"  # of causes: what a careful reader must not miss
_AND: Final = " + "


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
    basis = _basis_left_out(frame, layout)
    if basis:
        console.print(basis, style="dim", soft_wrap=True, markup=False)
    if note:
        console.print(note, style="dim", soft_wrap=True, markup=False)


def _basis_left_out(frame: pl.DataFrame, layout: Layout) -> str:
    """Return what each model's causes were told apart by, where that column is not shown."""
    told: dict[str, set[str]] = {}
    for column in layout.hidden:
        if column.is_empty or column.is_the_same or not column.name.startswith(_BASIS):
            continue
        if column.name == _BASIS and _MODEL in frame.columns:
            rows = frame.select(_MODEL, _BASIS).unique().rows()
        else:
            rows = [
                (column.name.removeprefix(_BASIS).strip("_"), one) for one in frame[column.name]
            ]
        for model, basis in rows:
            if basis is not None:
                told.setdefault(model or "", set()).update(basis.split(_AND))
    named = [f"{model} {_AND.join(sorted(told[model]))}".strip() for model in sorted(told)]
    return f"{_BASIS}: {'; '.join(named)}" if named else ""


def _say_what_is_left_out(rows: int, layout: Layout, whole: str, console: Console) -> None:
    """Print a line that names what is not shown, and the values of what is the same in each row."""
    if not rows:
        console.print("no rows", style="dim", soft_wrap=True, markup=False)
        return
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
        console.print("; ".join(parts), style="dim", soft_wrap=True, markup=False)
