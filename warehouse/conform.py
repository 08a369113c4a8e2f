"""Frames as read → the columns and types of a log, good rows and bad rows apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import dataframely as dy
import polars as pl

from warehouse.errors import InputFileError
from warehouse.logs import LogFile
from warehouse.privacy import WITHHELD, needs_withholding, withhold
from warehouse.schemas import LogTable

_QUERY: Final = r"[?#;].*$"
_PLACES: Final = ("language", "country", "region", "city", "timezone")  # no long digits in these
_LOWERED: Final = ("kind", "surface", "arm", "adjustment", "consent")
_PLAIN_FORMATS: Final = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_PLAIN_WORDS: Final = {
    "nullability": "missing",
    "min": "negative",
    "max": "too_large",
    "min_length": "empty",
    "max_length": "too_long",
    "inf": "not_finite",
    "nan": "not_finite",
    "regex": "wrong_form",
}
_FIRST: Final = {"nullability": 0, "inf": 1, "nan": 1}
_LONGEST_LINE: Final = 4000
_REJECTED_COLUMNS: Final = ("log_day", "source_row", "rule", "content")


@dataclass(frozen=True)
class Conformed:
    """One batch after validation.

    Attributes
    ----------
    good : DataFrame
        The rows that keep every rule: log_day, source_row and the columns of the log.
    bad : DataFrame
        The others: log_day (Date), source_row (Int64), rule (String) and content (String, JSON).
    """

    good: pl.DataFrame
    bad: pl.DataFrame


def conform(
    rows: pl.DataFrame, *, table: LogTable, file: LogFile, mapping: Mapping[str, str]
) -> Conformed:
    """Give a batch the log's columns and types and judge its rows.

    Parameters
    ----------
    rows : DataFrame
        Rows as read: ``source_row`` and the file's own columns.
    table : LogTable
        The log they belong to.
    file : LogFile
        Where they come from.
    mapping : mapping of str to str
        The file's name of a log column, where it differs.

    Raises
    ------
    InputFileError
        If a Parquet column has a type that cannot stand for the log's.
    """
    named = _named(rows, table, mapping)
    plain = _plain(named)
    typed = plain.select(
        "source_row", *(_typed(plain, name, table, file) for name in table.columns)
    )
    typed = typed.with_columns(_log_day(table, file)).select(
        "log_day", "source_row", *table.columns
    )
    typed = _withhold(typed, table)
    unparsed = _unparsed(named, typed, table)
    sound = typed.filter(unparsed.is_null()) if unparsed.null_count() < len(unparsed) else typed
    good, failure = table.schema.filter(sound, cast=False)
    bad = pl.concat(
        [
            typed.select("log_day", "source_row").with_columns(unparsed).drop_nulls("rule"),
            _failed(failure),
        ]
    )
    return Conformed(good, _with_content(bad, named, table))


def days_of(
    rows: pl.DataFrame, *, table: LogTable, file: LogFile, mapping: Mapping[str, str]
) -> set[date]:
    """Return the days that the rows of an undated file belong to.

    Parameters
    ----------
    rows : DataFrame
        Rows as read; only the columns of ``table.dated_by`` are looked at.
    table, file, mapping
        As in :func:`conform`.
    """
    named = _named(rows, table, mapping)
    plain = _plain(named)
    typed = plain.select(_typed(plain, name, table, file) for name in table.dated_by)
    return set(typed.select(_log_day(table, file)).to_series().drop_nulls().unique())


def refuse_lines(lines: pl.DataFrame, *, file: LogFile) -> pl.DataFrame:
    """Turn lines that could not be split into columns into bad rows, what names a person blanked.

    Parameters
    ----------
    lines : DataFrame
        Columns source_row, rule and content, the raw line.
    file : LogFile
        Where they come from.
    """
    # NUL bytes would hide an address: every other byte of UTF-16 is one.
    plain = pl.col("content").str.replace_all("\0", "", literal=True)
    content = withhold(plain, digits=True).str.slice(0, _LONGEST_LINE).alias("line")
    return lines.select(
        pl.lit(file.day, dtype=pl.Date).alias("log_day"),
        "source_row",
        "rule",
        pl.struct(content).struct.json_encode().alias("content"),
    )


def _named(rows: pl.DataFrame, table: LogTable, mapping: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows under the log's column names."""
    return rows.select(
        "source_row",
        *(
            pl.col(source).alias(column)
            for column in table.columns
            if (source := mapping.get(column, column)) in rows.columns
        ),
    )


def _typed(named: pl.DataFrame, name: str, table: LogTable, file: LogFile) -> pl.Expr:
    """Return the expression that gives column `name` the type of the log."""
    target = table.columns[name]
    if name not in named.columns:
        return pl.lit(None, dtype=target).alias(name)
    found = named.schema[name]
    column = pl.col(name)
    if target == pl.String and isinstance(found, pl.String | pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    if target == pl.String and (found.is_integer() or found == pl.Boolean):
        return column.cast(pl.String)
    if target == pl.Float64 and (found.is_numeric() or found == pl.Decimal):
        return column.cast(pl.Float64)
    if target == pl.Float64 and found == pl.String:
        return column.cast(pl.Float64, strict=False)
    if target.is_temporal() and found == pl.String:
        return _moment(column).cast(target).alias(name)
    if target.is_temporal() and found == pl.Datetime:
        zone = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return (zone if getattr(found, "time_zone", None) else column).cast(target)
    if target.is_temporal() and found == pl.Date:
        return column.cast(target)
    if found == pl.Null:
        return pl.lit(None, dtype=target).alias(name)
    wanted = {"String": "text", "Float64": "a number"}.get(str(target), "a timestamp")
    raise InputFileError(
        f"{file.name}, column {name}: its type is {found}, expected {wanted}. "
        "Export it as such, or map another column to it."
    )


def _plain(named: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with empty text as null and the words of a list in the case of the list.

    Nearly no batch has any of either: to look first costs a tenth of writing every text anew.
    """
    changed = []
    for column in named.select(pl.selectors.string(include_categorical=True)):
        text = column.cast(pl.String)
        if text.name in _LOWERED or text.name == "currency":
            found = text.unique()
            fold = "to_lowercase" if text.name in _LOWERED else "to_uppercase"
            if not getattr(found.str, fold)().equals(found, null_equal=True):
                text = getattr(text.str, fold)()
        if (text == "").any():
            text = text.to_frame().select(pl.when(pl.first() != "").then(pl.first())).to_series()
        changed.append(text)
    return named.with_columns(changed)


def _moment(text: pl.Expr) -> pl.Expr:
    """Parse ISO 8601: with a zone, or without one as UTC."""
    spaced = text.str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "${1} ").str.replace(
        r"\s?[Zz]$", "+00:00"
    )
    zoned = spaced.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_unit="us", strict=False)
    plain = [spaced.str.to_datetime(form, time_unit="us", strict=False) for form in _PLAIN_FORMATS]
    return pl.coalesce(zoned.dt.convert_time_zone("UTC").dt.replace_time_zone(None), *plain)


def _log_day(table: LogTable, file: LogFile) -> pl.Expr:
    """Return the day that a row belongs to: its folder's, else its own; null where it has none."""
    if file.day is not None:
        return pl.lit(file.day, dtype=pl.Date).alias("log_day")
    first, last = date(2000, 1, 1), date(2100, 1, 1)
    day = pl.coalesce(pl.col(name).cast(pl.Date) for name in table.dated_by)
    return pl.when(day.is_between(first, last, closed="left")).then(day).alias("log_day")


def _withhold(typed: pl.DataFrame, table: LogTable) -> pl.DataFrame:
    """Take e-mails, phones, plain hashes and the url's query out of descriptive text."""
    exprs = []
    for name in _described(table):
        # Few values differ, save in ip: to look at those is the fastest way to see that all is well
        values, digits = typed.get_column(name), name in _PLACES
        if needs_withholding(values if name == "ip" else values.unique(), digits=digits):
            exprs.append(withhold(pl.col(name), digits=digits))
    if "url" in table.columns:
        path = typed.get_column("url").str.replace(_QUERY, "")
        found = needs_withholding(path, digits=False)
        exprs.append(withhold(pl.lit(path), digits=False) if found else pl.lit(path))
    return typed.with_columns(exprs)


def _described(table: LogTable) -> list[str]:
    """Return the text columns that are stored as they stand and are no ids."""
    digested = set(table.secret) - {"ip"}
    return [
        name
        for name, dtype in table.columns.items()
        if dtype == pl.String and not _is_id(name, table) and name not in digested
    ]


def _is_id(name: str, table: LogTable) -> bool:
    return bool(getattr(table.schema.columns()[name], "min_length", None))


def _unparsed(named: pl.DataFrame, typed: pl.DataFrame, table: LogTable) -> pl.Series:
    """Return for each row ``column.not_a_...`` where a text was no such value, else null."""
    parsed = [
        name
        for name, dtype in table.columns.items()
        if dtype != pl.String and named.schema.get(name) == pl.String
    ]
    if not parsed:
        return pl.repeat(None, len(typed), dtype=pl.String, eager=True).alias("rule")
    given = named.select(pl.col(parsed).name.prefix("given "))
    failed = (
        pl.when(pl.col(name).is_null() & (pl.col(f"given {name}") != "")).then(
            pl.lit(f"{name}.not_a_{'number' if table.columns[name] == pl.Float64 else 'timestamp'}")
        )
        for name in parsed
    )
    return typed.hstack(given).select(pl.coalesce(failed).alias("rule")).to_series()


def _failed(failure: dy.FailureInfo) -> pl.DataFrame:
    """Return the rows that broke a rule of the schema, with the first rule that each broke."""
    details = failure.details()
    rules = details.columns[failure.invalid().width :]
    # What is missing comes first: a row without a time breaks no other rule about times. Then what
    # is no number: it is too large as well.
    rules = sorted(rules, key=lambda rule: _FIRST.get(rule.rpartition("|")[2], len(_FIRST)))
    broken = pl.coalesce(
        pl.when(pl.col(rule) == "invalid").then(pl.lit(_rule_name(rule))) for rule in rules
    )
    return details.select("log_day", "source_row", broken.alias("rule"))


def _rule_name(rule: str) -> str:
    """Return ``column.what_is_wrong`` for dataframely's ``column|check__rule``."""
    column, _, name = rule.rpartition("|")
    name = name.removeprefix("check__")
    return f"{column}.{_PLAIN_WORDS.get(name, name)}" if column else name


def _with_content(bad: pl.DataFrame, named: pl.DataFrame, table: LogTable) -> pl.DataFrame:
    """Add the row as it stood, raw identifiers blanked, as JSON."""
    if bad.is_empty():
        return bad.select("log_day", "source_row", "rule", pl.lit(None, pl.String).alias("content"))
    values = [_shown(name, table).alias(name) for name in named.columns if name != "source_row"]
    raw = bad.join(named, on="source_row", how="left", maintain_order="left")
    content = pl.struct(values).struct.json_encode() if values else pl.lit("{}")
    return raw.with_columns(content.alias("content")).select(_REJECTED_COLUMNS)


def _shown(name: str, table: LogTable) -> pl.Expr:
    """Return a column of a refused row as text without raw identifiers or plain hashes."""
    if name in table.secret:
        return pl.when(pl.col(name).is_not_null()).then(pl.lit(WITHHELD))
    text = pl.col(name).cast(pl.String, strict=False)
    if name == "user_agent" or _is_id(name, table):
        return withhold(text, digits=False)
    shown = withhold(text, digits=True)
    if table.columns[name] != pl.Float64:
        return shown
    return pl.when(text.cast(pl.Float64, strict=False).is_not_null()).then(text).otherwise(shown)
