"""Frames as tables, within the width of the terminal."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from terminal.console import out
from terminal.values import plain, styled

_MOST_ROWS = 60
_GAPS = (2, 1)  # between two columns of a table; the second where all columns fit only with it
_LONG = ("content", "before", "after", "message", "source_file")  # may be shortened to fit
_LEAST = 16  # what is left of these at least
_MOST = 40  # of any other text


def show_frame(
    frame: pl.DataFrame, *, title: str, whole: str, console: Console | None = None
) -> None:
    """Print a frame as a table, as many of its columns and rows as fit.

    Long text is shortened, columns are left out from the right and rows from the middle; a line
    below says so. Headers break between words, numbers never.

    Parameters
    ----------
    frame : DataFrame
        What to print.
    title : str
        The line above it.
    whole : str
        How to see all that is left out, such as a command.
    console : Console, optional
        Where to print it; standard output when omitted.
    """
    console = console or out()
    half = _MOST_ROWS // 2
    shown = frame if len(frame) <= _MOST_ROWS else pl.concat([frame.head(half), frame.tail(half)])
    columns = [_Column.of(column) for column in shown]
    gap = _gap(columns, console.width)
    columns = _fitting(columns, console.width, gap)
    table = Table(
        header_style="bold", box=box.SIMPLE_HEAD, padding=(0, gap - 1, 0, 0), show_edge=False,
        pad_edge=False,
    )  # fmt: skip
    for column in columns:
        table.add_column(
            "\n".join(_wrapped(column.title, column.width)),
            justify="right" if column.is_number else "left",
            vertical="bottom",
            width=column.width,
            no_wrap=True,
        )
    for place in range(len(shown)):
        if len(frame) > _MOST_ROWS and place == half:
            table.add_section()
        table.add_row(*(styled(column.shown(place)) for column in columns))
    console.print(title, style="bold")
    console.print(table)
    left_out = frame.columns[len(columns) :]
    shortened = [column.title for column in columns if column.width < column.longest]
    _say_what_is_left_out(len(frame), left_out, shortened, whole, console)


@dataclass
class _Column:
    """A column of a table: its header, its cells, and the width that it is given."""

    name: str
    cells: list[str]
    is_number: bool
    width: int = 0

    @classmethod
    def of(cls, column: pl.Series) -> "_Column":
        cells = [" ".join(plain(value).split()) for value in column]
        return cls(column.name, cells, column.dtype.is_numeric())

    @property
    def title(self) -> str:
        return self.name.replace("_", " ")

    @property
    def longest(self) -> int:
        return max(map(cell_len, self.cells), default=0)

    @property
    def least(self) -> int:
        """The width below which it cannot be shown."""
        cells = self.longest
        if not self.is_number:
            cells = min(cells, _LEAST if self.name in _LONG else _MOST)
        return max(cells, *map(len, self.title.split()))

    def shown(self, place: int) -> str:
        """Return a cell; of a file that is too long the end. Rich cuts other text at its end."""
        text = self.cells[place]
        if cell_len(text) <= self.width:
            return text
        return "…" + text[1 - self.width :] if self.name == "source_file" else text


def _gap(columns: Sequence[_Column], width: int) -> int:
    """Return the widest gap at which all columns fit, or the widest where they do at none."""
    for gap in _GAPS:
        if sum(column.least + gap for column in columns) <= width + gap:
            return gap
    return _GAPS[0]


def _fitting(columns: Sequence[_Column], width: int, gap: int) -> list[_Column]:
    """Return the leading columns that fit into `width`, at least one, with the widths given."""
    fitting: list[_Column] = []
    room = width + gap
    for column in columns:
        column.width = column.least
        if fitting and room < column.width + gap:
            break
        room -= column.width + gap
        fitting.append(column)
    _widen(fitting, max(room, 0))
    return fitting


def _widen(columns: Sequence[_Column], room: int) -> None:
    """Give room that is left to text that is cut, evenly, then to headers to stand on one line."""
    cut = sorted((c for c in columns if c.width < c.longest), key=lambda c: c.longest - c.width)
    for place, column in enumerate(cut):
        more = min(column.longest - column.width, room // (len(cut) - place))
        column.width += more
        room -= more
    for column in sorted(columns, key=lambda c: len(c.title) - c.width):
        more = max(len(column.title) - column.width, 0)
        if more <= room:
            column.width += more
            room -= more


def _wrapped(title: str, width: int) -> list[str]:
    return textwrap.wrap(title, width, break_long_words=False, break_on_hyphens=False)


def _say_what_is_left_out(
    rows: int, columns: Sequence[str], shortened: Sequence[str], whole: str, console: Console
) -> None:
    parts = []
    if not rows:
        parts.append("no rows")
    if rows > _MOST_ROWS:
        parts.append(f"{rows:,} rows, the first and last {_MOST_ROWS // 2} shown")
    if shortened:
        parts.append(f"shortened: {', '.join(shortened)}")
    if columns:
        parts.append(f"not shown for want of width: {', '.join(columns)}")
    if rows > _MOST_ROWS or columns or shortened:
        parts.append(f"all with {whole}")
    if parts:
        console.print("; ".join(parts), style="dim", soft_wrap=True, markup=False)
