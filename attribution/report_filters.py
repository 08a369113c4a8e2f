"""Rows of a report picked by what stands in its columns."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from warehouse.errors import ConfigError

_TIME: Final = "%Y-%m-%d %H:%M:%S"


def read_filters(words: Sequence[str]) -> dict[str, list[str]]:
    """Return the texts that each column may have, of words such as ``model=last_touch``.

    Parameters
    ----------
    words : sequence of str
        COLUMN=VALUE each; an empty value stands for null. Words of one column add to each other.

    Raises
    ------
    ConfigError
        If a word has no column or no sign of equality.
    """
    found: dict[str, list[str]] = {}
    for word in words:
        column, equals, value = word.partition("=")
        if not (column.strip() and equals):
            raise ConfigError(
                f'--only "{word}": not COLUMN=VALUE. Name both, such as --only model=last_touch'
            )
        found.setdefault(column.strip(), []).append(value)
    return found


def picked_rows(frame: pl.DataFrame, only: Mapping[str, Sequence[str]]) -> pl.DataFrame:
    """Return the rows in which each column has one of its texts; columns not there are passed over.

    Parameters
    ----------
    frame : DataFrame
        The rows.
    only : mapping of str to sequence of str
        From :func:`read_filters`. A number is compared by its digits as CSV has them, a date and
        time as tables show it.
    """
    for column, texts in only.items():
        if column in frame.columns:
            text = _text(frame[column])
            frame = frame.filter(text.is_in(list(texts)) | (text.is_null() & ("" in texts)))
    return frame


def _text(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.strftime(_TIME)
    return column.cast(pl.String)
