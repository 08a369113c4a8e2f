"""Which columns of a table fit into the width of a terminal, and how wide each is."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from rich.cells import cell_len

from terminal.values import plain
from warehouse.attribution_config import Model

_GAPS: Final = (2, 1)  # between two columns; the second where all of them fit only with it
_LEAST: Final = {
    "content": 16, "before": 10, "after": 10, "message": 16, "source_file": 16, "settings": 16,
    "parts": 16, "what": 24, "model": 16, "reason": 24, "model_version": 16,
}  # fmt: skip
_TIGHT: Final = {"reason": 10}  # before a column goes that the report is for
_MOST: Final = 40  # of any other text
_LARGE: Final = 1000  # from here on two decimals are enough, where width lacks
# What a report is not for: ids of runs, what hangs on another column, the longer story. The first
# goes first, and so does what begins with it, such as the basis of one of several models.
_FIRST_TO_GO: Final = (
    "run_id", "first_run_id", "adscribe_version", "report_currency", "basis", "newest_log_day",
    "first_day_served", "last_day_served", "days_served", "peak_memory_mib", "rows_in", "rows_out",
    "rows_rejected", "at_least", "at_least_hours", "cost_first_told", "return_first_told",
    "first_day", "last_day", "days", "held_out", "predicted", "observed", "credit_before",
    "credit_after", "value_before", "value_after", "parts", "accounted", "retracted",
    "contaminated_users", "p_value", "lift_low", "lift_high", "lift", "detectable_lift", "treated",
    "control", "model_version",
    "first_date_credited", "last_date_credited", "histories", "constant_log_loss", "log_loss",
    "conversions", "campaigns", "value_in_reports", "cost_in_reports",
)  # fmt: skip
_VALUE: Final = "value"  # of several models it goes before what is made of it and of the cost
_LIMITS: Final = " limits"
_KEPT: Final = 2  # leading columns, which say what a row is of


@dataclass(eq=False)
class Column:
    """A column of a table: its header, its cells, and the width that it is given.

    Attributes
    ----------
    name : str
        The name in the frame.
    cells : list of str
        The values of the rows that are shown, whole.
    rounded : list of str
        The same, large numbers with two decimals.
    is_number : bool
        Whether it stands to the right, and is never shortened.
    is_empty : bool
        Whether no row of the frame has a value, of those not shown neither.
    is_the_same : bool
        Whether all rows of the frame, of several, hold the same.
    width : int
        The width that it is given.
    is_tight : bool
        Whether its text is shortened as far as it may be.
    """

    name: str
    cells: list[str]
    rounded: list[str]
    is_number: bool
    is_empty: bool
    is_the_same: bool
    width: int = 0
    is_tight: bool = False

    @classmethod
    def of(cls, whole: pl.Series, shown: pl.Series) -> "Column":
        """Return the column of a series and of those of its rows that are shown."""
        cells = [" ".join(plain(value).split()) for value in shown]
        is_large = shown.dtype.is_float() and any(
            abs(value) >= _LARGE for value in shown.drop_nulls()
        )
        rounded = [" ".join(plain(_rounded(value)).split()) for value in shown]
        return cls(
            shown.name,
            cells,
            rounded if is_large else cells,
            shown.dtype.is_numeric(),
            0 < len(whole) == whole.null_count(),
            len(whole) > 1 and whole.n_unique() == 1,
        )

    @property
    def title(self) -> str:
        """The header."""
        return self.name.replace("_", " ")

    @property
    def header(self) -> str:
        """The title, broken between words."""
        lines = textwrap.wrap(
            self.title, self.width, break_long_words=False, break_on_hyphens=False
        )
        return "\n".join(lines)

    @property
    def longest(self) -> int:
        """The width that shows every cell whole."""
        return max(map(cell_len, self.cells), default=0)

    @property
    def least(self) -> int:
        """The width below which it cannot be shown."""
        cells = self.longest
        if not self.is_number:
            least = _LEAST.get(self.name, _MOST)
            cells = min(cells, _TIGHT.get(self.name, least) if self.is_tight else least)
        return max(cells, *map(len, self.title.split()))

    def shown(self, place: int) -> str:
        """Return a cell; of a file that is too long the end. Rich cuts other text at its end."""
        text = self.cells[place]
        if cell_len(text) <= self.width:
            return text
        return "…" + text[1 - self.width :] if self.name == "source_file" else text


@dataclass(frozen=True)
class Layout:
    """The columns that are shown, the space between two of them, and what is not shown.

    Attributes
    ----------
    columns : list of Column
        Those shown, with their widths.
    gap : int
        Cells between two of them.
    hidden : list of Column
        The others, in the order of the frame.
    """

    columns: list[Column]
    gap: int
    hidden: list[Column]


def lay_out(frame: pl.DataFrame, shown: pl.DataFrame, width: int) -> Layout:
    """Choose which columns of a frame are shown within a width.

    Columns without a value in any row never are. Where the rest does not fit, long text is
    shortened and large numbers get two decimals; then go, from the right, the columns that hold the
    same in every row; then those that a report is not for; then others from the right, the leading
    ones last. A figure of several models goes under all of them. One column stays in any case.

    Parameters
    ----------
    frame : DataFrame
        The whole table.
    shown : DataFrame
        The rows of it that are shown.
    width : int
        Cells of the terminal.
    """
    every = [Column.of(frame[name], shown[name]) for name in frame.columns]
    columns = [column for column in every if not column.is_empty] or every[:1]
    if not _fit(columns, width, _GAPS[-1]):
        for column in columns:
            column.cells = column.rounded
    asides = _asides(columns)
    for family in [*asides, [], *_figures(columns, asides)]:
        if _fit(columns, width, _GAPS[-1]):
            break
        if not family:  # what the report is for comes next
            for column in columns:
                column.is_tight = True
        columns = [column for column in columns if column not in family] or columns[:1]
    gap = next((gap for gap in _GAPS if _fit(columns, width, gap)), _GAPS[0])
    for column in columns:
        column.width = column.least
    _widen(columns, max(width + gap - sum(column.width + gap for column in columns), 0))
    return Layout(columns, gap, [column for column in every if column not in columns])


def _rounded(value: object) -> object:
    return round(value, 2) if isinstance(value, float) else value


def _fit(columns: Sequence[Column], width: int, gap: int) -> bool:
    return sum(column.least + gap for column in columns) <= width + gap


def _asides(columns: Sequence[Column]) -> list[list[Column]]:
    """Return what a report is not for, the one that is missed least first.

    Each goes by itself, but for what was before a change, or after it: of credit and of value.
    """
    same = [column for column in reversed(columns) if column.is_the_same]
    others = [column for column in columns if not column.is_the_same][_KEPT:]
    asides = [
        column
        for name in _FIRST_TO_GO
        for column in others
        if column.name == name or column.name.startswith(f"{name}_")
    ]
    families: dict[str, list[Column]] = {}
    for column in dict.fromkeys([*same, *asides]):
        side = column.name if column in same else _side_of(column.name)
        families.setdefault(side, []).append(column)
    return list(families.values())


def _side_of(name: str) -> str:
    """Return the side of a change that a column is of, or its name if of none."""
    return next((side for side in ("_before", "_after") if name.endswith(side)), name)


def _figures(columns: Sequence[Column], asides: Sequence[list[Column]]) -> Iterator[list[Column]]:
    """Yield the others, the one that is missed least first, with those that go with it."""
    gone = [column for family in asides for column in family]
    families: dict[str, list[Column]] = {}
    for column in reversed(columns):
        if column not in gone:
            families.setdefault(_figure_of(column.name), []).append(column)
    beside = [name for name, family in families.items() if len(family) > 1 and _LIMITS not in name]
    if _VALUE in beside[:-1]:
        yield families.pop(_VALUE)
    for name, family in families.items():
        yield from ([column] for column in family) if name in beside[-1:] else [family]


def _figure_of(name: str) -> str:
    """Return what a column tells, without its model; the two limits of an interval tell one."""
    if name in list(Model):
        return name
    if name.endswith(("_low", "_high")):
        return f"{name.rpartition('_')[0]}{_LIMITS}"
    ends = (name.removesuffix(f"_{model}") for model in Model if name.endswith(f"_{model}"))
    return min(ends, key=len, default=name)


def _widen(columns: Sequence[Column], room: int) -> None:
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
