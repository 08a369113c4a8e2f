"""Samples that are columns of a frame: read once, checked once."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from calibration.errors import InvalidSampleError
from calibration.samples import Sample


def require_columns(frame: pl.DataFrame, names: Iterable[str], *, of: str = "frame") -> None:
    """Refuse a frame that lacks a column.

    Parameters
    ----------
    frame : DataFrame
        The frame.
    names : iterable of str
        The columns that it must have.
    of : str
        What the frame is called.

    Raises
    ------
    InvalidSampleError
        If one is missing, or the frame is something else.
    """
    if not isinstance(frame, pl.DataFrame):
        mend = "collect it" if isinstance(frame, pl.LazyFrame) else "give a polars DataFrame"
        raise InvalidSampleError(f"{of} is a {type(frame).__name__}: {mend}")
    names = list(names)
    if odd := [name for name in names if not isinstance(name, str)]:
        raise InvalidSampleError(f"column {odd[0]!r} of {of} is no text: give names of columns")
    if missing := [name for name in names if name not in frame.columns]:
        raise InvalidSampleError(
            f"{of} has no column {', '.join(missing)}: add it, or name one of "
            f"{', '.join(frame.columns)}"
        )


def require_days(frame: pl.DataFrame, day: str) -> None:
    """Refuse a column of days that is null somewhere, or holds neither dates nor numbers.

    Raises
    ------
    InvalidSampleError
        If it is so, or there is no such column.
    """
    require_columns(frame, [day])
    kind, days = frame.schema[day], frame[day]
    if not (kind == pl.Date or kind.is_numeric()):
        mend = "cast it to dates"
        if isinstance(kind, pl.Datetime):
            mend = "every time would be a day of its own; take .dt.date()"
        elif kind == pl.String:
            mend = "text does not tell which day is next; take .str.to_date()"
        raise InvalidSampleError(f"column {day} is of {kind}: {mend}, or number the days")
    missing = days.null_count() + (int(days.is_nan().sum()) if kind.is_float() else 0)
    if missing:
        raise InvalidSampleError(f"column {day}: {missing} days are missing; fill or drop them")


def frame_sample(frame: pl.DataFrame, *, y_true: str, y_prob: str, weight: str | None) -> Sample:
    """Return the sample of the named columns.

    Raises
    ------
    InvalidSampleError
        If a column is missing, there is no row, a value is null, or is outside its range.
    """
    names = [y_true, y_prob, *([weight] if weight else [])]
    require_columns(frame, names)
    for name in names:
        if nulls := frame[name].null_count():
            raise InvalidSampleError(
                f"column {name}: {nulls} of {len(frame)} values are null; fill or drop them"
            )
    return Sample.of(*(np.asarray(frame[name].to_numpy()) for name in names))
