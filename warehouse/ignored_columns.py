"""The columns of a file that are ignored although they look as if they were meant.

Logs have many columns that adscribe has no use for. Worth a word are those that are a column of the
log but for case, punctuation or words such as sha256; those of another log; and slips of the pen.
"""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from warehouse.schemas import TABLES

# What stands around the names of identifiers that were hashed, or that are called at length.
_TRIMMINGS: Final = re.compile(r"^(?:hashed|sha256)_|_(?:sha256|hashed|hash|number|address)$")
_LIKENESS: Final = 0.8  # a letter or two of difference


def describe_ignored(table: str, names: Sequence[str], read: Collection[str]) -> str | None:
    """Say which columns of a file are ignored and what may have been meant; None if none looks so.

    Parameters
    ----------
    table : str
        The log.
    names : sequence of str
        The file's columns, without any that may be data.
    read : collection of str
        The columns to be read, under the file's names. Columns of the log that are not among them
        have another name by configuration.
    """
    columns = TABLES[table].columns
    meant = [name for name in columns if name in read]
    absent = [name for name in meant if name not in names]
    told: list[str] = []
    for name in dict.fromkeys(names):
        if name in read or name in columns:
            continue
        hint = next(_hints(name, table, meant, absent), None)
        if hint is not None:
            told.append(f"{'Column' if told else 'column'} {name} is ignored; {hint}")
    return " ".join(told) or None


def _hints(name: str, table: str, meant: list[str], absent: list[str]) -> Iterator[str]:
    """Yield what may have been meant, the likeliest first."""
    yield from (f"did you mean {column}?" for column in absent if _core(column) == _core(name))
    yield from (f"{column} is read." for column in meant if _bare(column) == _bare(name))
    others = [other for other in TABLES if other != table and name.lower() in TABLES[other].columns]
    if others:
        yield f"it is a column of {' and '.join(others)}."
    close = difflib.get_close_matches(name.lower(), absent, n=1, cutoff=_LIKENESS)
    yield from (f"did you mean {column}?" for column in close)


def _core(name: str) -> str:
    """Return a name without case, punctuation and what stands around an identifier."""
    return _bare(_TRIMMINGS.sub("", re.sub(r"[ .:-]", "_", name.lower())))


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
