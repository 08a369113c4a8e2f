"""One currency to report in: the user's table of rates, and whether it has every rate needed.

A rate is the units of the currency of the reports that one unit of another currency is worth. A
date's rate is the newest of that date or before, at most ``oldest_rate_days`` old. Nothing is
guessed: where a rate is missing the run says so and stops. Values are converted when a report is
run, by the view ``daily_rates``, so that a mended table of rates changes no credit.
"""

from pathlib import Path
from typing import Final

import polars as pl

from attribution.settings import OLDEST_RATE_DAYS, REPORT_CURRENCY, keep_setting
from warehouse.attribution_config import MoneyRules
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.logs import ENDINGS, LogFile
from warehouse.readers import read
from warehouse.schemas import CURRENCIES

_COLUMNS: Final = ("date", "currency", "rate")
_LARGEST_RATE: Final = 1e12  # the largest value told in the smallest unit still has exact sums
_SHOWN: Final = 40  # characters of a wrong value


def load_rates(warehouse: Warehouse, rules: MoneyRules) -> None:
    """Put the user's table of rates in the place of the one stored, and keep what it is in.

    Call it inside a stage, whose transaction keeps either table whole. Without a currency of the
    reports nothing is done.

    Raises
    ------
    ConfigError, InputFileError
        As :func:`read_rates`.
    """
    rates = read_rates(rules)
    if rates is None:
        return
    warehouse.execute("attribution/delete_currency_rates")
    with warehouse.frame("rates", rates):
        warehouse.execute("attribution/insert_currency_rates")
    keep_setting(warehouse, REPORT_CURRENCY, str(rules.currency))
    keep_setting(warehouse, OLDEST_RATE_DAYS, str(rules.oldest_rate_days))


def read_rates(rules: MoneyRules) -> pl.DataFrame | None:
    """Return the user's table of rates; None without a currency of the reports.

    Parameters
    ----------
    rules : MoneyRules
        The currency of the reports and the file of rates: CSV, JSON lines or Parquet with the
        columns date, currency and rate; others are ignored.

    Returns
    -------
    DataFrame or None
        date, currency and rate, once each.

    Raises
    ------
    ConfigError
        If the currency is none of ISO 4217, if there is no such file, if a column is missing, if a
        value is no date, currency or rate above 0, or if one date and currency have two rates.
    InputFileError
        If the file cannot be read at all.
    """
    if rules.currency is None or rules.rates is None:
        return None
    if rules.currency not in CURRENCIES:
        raise ConfigError(
            f'[attribution.money] currency: "{_plain(rules.currency)}" is no currency of ISO 4217. '
            "Name one such as EUR."
        )
    path = _file_of(rules.rates)
    rates = _judged(_read(path), path)
    _require_one_rate(rates, path)
    _require_own_rate(rates, rules.currency, path)
    return rates.select(*_COLUMNS).unique().sort("currency", "date")


def check_rates(warehouse: Warehouse, rules: MoneyRules) -> None:
    """Raise if a conversion with a value, or a cost, has no rate of its date.

    Without a currency of the reports nothing is done.

    Parameters
    ----------
    warehouse : Warehouse
        A warehouse whose rates are loaded and whose conversions are worked out.
    rules : MoneyRules
        The currency of the reports, and how old a rate may be.

    Raises
    ------
    ConfigError
        If a rate is missing: names the currency, the first date and how many rows need it.
    """
    if rules.currency is None:
        return
    missing = warehouse.query(
        "attribution/missing_rates",
        currency=rules.currency,
        oldest_rate_days=rules.oldest_rate_days,
    )
    if missing.is_empty():
        return
    first = missing.row(0, named=True)
    others = sorted(set(missing.get_column("currency")) - {first["currency"]})
    further = f" Missing as well: {', '.join(others)}." if others else ""
    raise ConfigError(
        f"{rules.rates}: no rate of {first['currency']} for {first['row_count']:,} "
        f"{first['table_name']}, the first on {first['first_date']}: a rate of that date or of the "
        f"{rules.oldest_rate_days} days before is needed.{further} Add it to the table, or raise "
        "[attribution.money] oldest_rate_days."
    )


def _file_of(rates: Path) -> Path:
    try:
        path = rates.expanduser()
    except RuntimeError as error:
        raise ConfigError(
            f"[attribution.money] rates: {rates}: no such home folder. Name the file in full."
        ) from error
    if not path.is_file():
        raise ConfigError(
            f"[attribution.money] rates: {path}: no such file. Name a table of rates."
        )
    ending = path.with_suffix("").suffix if path.suffix in (".gz", ".zst") else path.suffix
    if ending not in ENDINGS:
        raise ConfigError(
            f"[attribution.money] rates: {path}: its name says no format. Let it end in "
            f"{', '.join(ENDINGS)}."
        )
    return path


def _read(path: Path) -> pl.DataFrame:
    """Return the columns as the file has them, and ``source_row``."""
    file = LogFile(path=path, name=str(path), table="costs", day=None)
    frames = []
    for batch in read(file, _COLUMNS, required=()):
        for line in batch.refused.get_column("source_row"):
            raise ConfigError(f"{path}, line {line}: cannot be read. Mend it.")
        if batch.rows.width > 1:
            frames.append(batch.rows)
    rows = pl.concat(frames) if frames else pl.DataFrame()
    if rows.is_empty():
        raise ConfigError(f"{path}: holds no rates. Export the table again.")
    for name in _COLUMNS:
        # JSON lines have no header: a key that no line has is a column that is missing
        if name not in rows.columns or rows.get_column(name).is_null().all():
            raise ConfigError(
                f"{path}: column {name} is missing. A table of rates has date, currency and rate."
            )
    return rows


def _judged(rows: pl.DataFrame, path: Path) -> pl.DataFrame:
    """Return the rows with the types of rates; raise at the first column with a wrong value."""
    typed = rows.select(
        "source_row",
        _as_date(rows.schema["date"]),
        pl.col("currency").cast(pl.String, strict=False).str.to_uppercase(),
        _as_rate(rows.schema["rate"]),
    )
    rate = pl.col("rate")
    wrong = {
        "date": (pl.col("date").is_null(), "dates", "Write them as 2026-01-31."),
        "currency": (
            ~pl.col("currency").is_in(CURRENCIES).fill_null(value=False),
            "currencies of ISO 4217",
            "Write them as EUR, or leave the rows out.",
        ),
        "rate": (
            ~(rate.is_finite() & (rate > 0) & (rate <= _LARGEST_RATE)).fill_null(value=False),
            "rates above 0",
            "Write units of the currency of the reports for one unit, or leave the rows out.",
        ),
    }
    for name, (condition, kind, mend) in wrong.items():
        places = typed.select(condition.alias("wrong")).get_column("wrong")
        if places.any():
            value = rows.filter(places).get_column(name)[0]
            shown = "nothing" if value is None else f'"{_plain(value)}"'
            row = rows.filter(places).get_column("source_row")[0]
            raise ConfigError(
                f"{path}, column {name}: {places.sum():,} values are no {kind}, first {shown} in "
                f"row {row}. {mend}"
            )
    return typed


def _as_date(given: pl.DataType) -> pl.Expr:
    if isinstance(given, pl.Date | pl.Datetime):
        return pl.col("date").cast(pl.Date)
    text = pl.col("date").cast(pl.String, strict=False)
    return text.str.to_date("%Y-%m-%d", strict=False)


def _as_rate(given: pl.DataType) -> pl.Expr:
    if given == pl.Boolean:
        return pl.lit(None, dtype=pl.Float64).alias("rate")
    return pl.col("rate").cast(pl.Float64, strict=False)


def _require_one_rate(rates: pl.DataFrame, path: Path) -> None:
    several = (
        rates.group_by("date", "currency")
        .agg(pl.col("rate").unique().sort())
        .filter(pl.col("rate").list.len() > 1)
        .sort("date", "currency")
    )
    if several.height:
        first = several.row(0, named=True)
        raise ConfigError(
            f"{path}: {first['currency']} has {len(first['rate'])} rates on {first['date']}: "
            f"{first['rate'][0]:g} and {first['rate'][1]:g}. Leave one."
        )


def _require_own_rate(rates: pl.DataFrame, currency: str, path: Path) -> None:
    own = rates.filter((pl.col("currency") == currency) & (pl.col("rate") != 1))
    if own.height:
        first = own.sort("date").row(0, named=True)
        raise ConfigError(
            f"{path}: {currency} is the currency of the reports, yet has the rate "
            f"{first['rate']:g} on {first['date']}. Rates are units of {currency} for one unit of "
            "the other currency: turn the table round, or name its own currency."
        )


def _plain(value: object) -> str:
    return " ".join(str(value).split())[:_SHOWN]
