"""Validated rows → rows without raw identifiers, and the identifiers apart.

What stands here in clear goes on to DuckDB, which keeps keyed digests only (warehouse/keys.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from warehouse.config import Consent, PrivacyConfig
from warehouse.data_centres import DataCentres
from warehouse.devices import parse_user_agents
from warehouse.networks import Scope, parse_addresses
from warehouse.recipes import Field, Recipe, judge, refusals

_RECIPES: Final = [recipe.value for recipe in Recipe]
# The lists of recipes, by the bits of their members.
_RECIPE_LISTS: Final = pl.Series(
    [[name for bit, name in enumerate(_RECIPES) if mask >> bit & 1] for mask in range(16)],
    dtype=pl.List(pl.String),
)
_HASHED: Final[Mapping[str, Field]] = {
    "email": Field.EMAIL,
    "phone": Field.PHONE,
    "external_id": Field.EXTERNAL_ID,
}
_PLAIN: Final = ("click_id", "device_id", "cookie_id")
_OF_ACTIVITY: Final[Mapping[str, tuple[str, Field]]] = {
    "email": ("email_sha256", Field.EMAIL),
    "phone": ("phone_sha256", Field.PHONE),
    "device_id": ("device_id", Field.EXTERNAL_ID),
    "cookie_id": ("cookie_id", Field.EXTERNAL_ID),
}
_OF_TOUCHPOINTS: Final[Mapping[str, tuple[str, Field]]] = {
    "click_id": ("click_id", Field.EXTERNAL_ID)
}
# Whatever could tell a person; country stays, to count by.
_PERSONAL: Final = (
    "click_id", "cookie_id", "device_id", "external_id", "email", "phone", "ip", "user_agent",
    "screen", "language", "region", "city", "timezone", "url",
)  # fmt: skip
_IDENTIFIERS: Final[dict[str, pl.DataType]] = {
    "log_day": pl.Date(),
    "signal_id": pl.String(),
    "source_row": pl.Int64(),
    "kind": pl.String(),
    "value": pl.String(),
    "recipes": pl.List(pl.String),
    "refusal": pl.String(),
}
_REFUSED: Final[dict[str, pl.DataType]] = {
    "log_day": pl.Date(),
    "kind": pl.String(),
    "refusal": pl.String(),
    "row_count": pl.Int64(),
}


@dataclass(frozen=True)
class Identified:
    """A batch whose identifiers have been read.

    Attributes
    ----------
    rows : DataFrame
        The batch for the insert statement of its table.
    identifiers : DataFrame
        Of signals: log_day, signal_id, source_row, kind, value (null where refused), recipes and
        refusal, one row for each value that a digest is kept of.
    refused : DataFrame
        Of activity and touchpoints: log_day, kind, refusal and row_count.
    """

    rows: pl.DataFrame
    identifiers: pl.DataFrame
    refused: pl.DataFrame


def identify(
    rows: pl.DataFrame,
    table: str,
    config: PrivacyConfig,
    *,
    data_centres: DataCentres | None = None,
) -> Identified:
    """Read the identifiers of a validated batch.

    Parameters
    ----------
    rows : DataFrame
        Good rows of one log: log_day, source_row and the log's columns.
    table : str
        The log.
    config : PrivacyConfig
        The consent that a signal needs, and whether network addresses stay in clear.
    data_centres : DataCentres, optional
        Networks whose addresses are no person's.
    """
    identifiers, refused = pl.DataFrame(schema=_IDENTIFIERS), pl.DataFrame(schema=_REFUSED)
    if table == "signals":
        rows = _with_consent(rows, config.consent)
        identifiers = _of_signals(rows)
        rows = _with_devices(_with_networks(rows.drop(*_HASHED, *_PLAIN), config, data_centres))
    elif table == "activity":
        rows, refused = _usable(rows, _OF_ACTIVITY)
        rows = _with_devices(_with_networks(rows, config, data_centres))
    elif table == "touchpoints":
        rows, refused = _usable(rows, _OF_TOUCHPOINTS)
    return Identified(rows, identifiers, refused)


def _with_consent(signals: pl.DataFrame, needed: Consent) -> pl.DataFrame:
    """Return the signals, of those without the consent nothing that could tell a person."""
    consent = pl.col("consent")
    given = consent == "granted" if needed is Consent.GRANTED else consent.ne_missing("denied")
    may = signals.select(given.fill_null(value=False)).to_series()
    if may.all():
        return signals
    return signals.with_columns(pl.when(may).then(pl.col(_PERSONAL)))


def _of_signals(signals: pl.DataFrame) -> pl.DataFrame:
    parts = [pl.DataFrame(schema=_IDENTIFIERS)]
    for kind, field in _HASHED.items():
        parts += _hashed(signals.filter(pl.col(kind).is_not_null()), kind, field)
    for kind in _PLAIN:
        given = signals.filter(pl.col(kind).is_not_null())
        if given.is_empty():
            continue
        text = _plain(given[kind], kind)
        refusal = refusals(text, field=Field.EXTERNAL_ID)
        value = text.set(refusal.is_not_null(), None)
        parts.append(_long(given, kind, value, None, refusal))
    return pl.concat(parts)


def _hashed(given: pl.DataFrame, kind: str, field: Field) -> list[pl.DataFrame]:
    """Return a row for each different digest that the recipes give a value, and for each refusal.

    The first recipe with a digest brings its row, with all the recipes that give the same one.
    """
    if given.is_empty():
        return []
    made, refusal = judge(given[kind], field=field, country=given["country"])
    if kind == "external_id":
        scope = pl.lit(given["advertiser_id"] + ":")
        made = made.select((scope + pl.col(name)).alias(name) for name in _RECIPES)
    alike = made.select(
        expr.alias(f"{name} {what}")
        for place, name in enumerate(_RECIPES)
        for what, expr in _alike(place).items()
    )
    parts = []
    for name in _RECIPES:
        chosen = alike[f"{name} first"]
        lists = _RECIPE_LISTS.gather(alike[f"{name} mask"].filter(chosen))
        parts.append(_long(given.filter(chosen), kind, made[name].filter(chosen), lists, None))
    refused = refusal.is_not_null()
    parts.append(_long(given.filter(refused), kind, None, None, refusal.filter(refused)))
    return [part for part in parts if len(part)]


def _alike(place: int) -> dict[str, pl.Expr]:
    """Tell which recipes give the digest of one, as bits, and whether it is the first of these."""
    own = pl.col(_RECIPES[place])
    same = [(pl.col(other) == own).fill_null(value=False) for other in _RECIPES]
    return {
        "first": own.is_not_null() & ~pl.any_horizontal(pl.lit(value=False), *same[:place]),
        "mask": pl.sum_horizontal(is_same * 2**bit for bit, is_same in enumerate(same)),
    }


def _long(
    rows: pl.DataFrame,
    kind: str,
    value: pl.Series | None,
    recipes: pl.Series | None,
    refusal: pl.Series | None,
) -> pl.DataFrame:
    columns = {"kind": pl.lit(kind), "value": value, "recipes": recipes, "refusal": refusal}
    return rows.select(
        "log_day",
        "signal_id",
        "source_row",
        *(
            pl.lit(column, dtype=_IDENTIFIERS[name]).alias(name)
            if column is None
            else (column if isinstance(column, pl.Expr) else pl.lit(column)).alias(name)
            for name, column in columns.items()
        ),
    )


def _usable(
    rows: pl.DataFrame, columns: Mapping[str, tuple[str, Field]]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows with the usable identifiers only, and how many were refused why."""
    counts = [pl.DataFrame(schema=_REFUSED)]
    for kind, (column, field) in columns.items():
        given = rows.get_column(column)
        where = given.is_not_null().arg_true()
        if where.is_empty():
            continue
        told = given.gather(where)
        text = _plain(told, kind)
        refusal = refusals(text, field=field)
        bad = refusal.is_not_null()
        if bad.any():
            text = text.set(bad, None)
            refused = rows[where].filter(bad).select("log_day", refusal=refusal.filter(bad))
            counts.append(
                refused.group_by("log_day", "refusal")
                .agg(pl.len().cast(pl.Int64).alias("row_count"))
                .select("log_day", pl.lit(kind).alias("kind"), "refusal", "row_count")
            )
        if not text.equals(told, null_equal=True):  # to write a whole column anew is dear
            rows = rows.with_columns(given.scatter(where, text).alias(column))
    return rows, pl.concat(counts)


def _plain(text: pl.Series, kind: str) -> pl.Series:
    """Return identifiers without space around them; click ids are told apart by case."""
    text = text.str.strip_chars()
    return text if kind == "click_id" else text.str.to_lowercase()


def _with_networks(
    rows: pl.DataFrame, config: PrivacyConfig, data_centres: DataCentres | None
) -> pl.DataFrame:
    """Return the rows with address, network (/24 or /64), site (/48) and scope of the address.

    An address that is not public says nothing about who was there, so that its scope alone is kept.
    """
    parsed = parse_addresses(rows["ip"], data_centres=data_centres)
    public = pl.col("scope") == Scope.PUBLIC.value
    networks = parsed.select(
        pl.when(public).then("address").alias("address"),
        pl.when(public).then(pl.coalesce("prefix_24", "prefix_64")).alias("network"),
        pl.when(public).then("prefix_48").alias("site"),
        pl.col("scope").cast(pl.String).alias("network_scope"),
    )
    if config.keep_addresses_days is None:
        rows = rows.with_columns(pl.lit(None, pl.String).alias("ip"))
    return rows.hstack(networks)


def _with_devices(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what their user agents say of the device."""
    parsed = parse_user_agents(rows["user_agent"])
    return rows.hstack(
        parsed.select(
            "device_key",
            "os",
            pl.col("browser_major").cast(pl.Int32, strict=False),
            "is_bot",
        )
    )
