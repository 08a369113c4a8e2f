"""Raw or hashed values in, one digest for each recipe out."""

import functools

import duckdb
import polars as pl
from duckdb import ColumnExpression, FunctionExpression

from warehouse.recipes.arrivals import arrival_refusals, arrived_digests
from warehouse.recipes.attributes import read_attributes
from warehouse.recipes.emails import read_emails
from warehouse.recipes.fields import Field, Reading, Recipe
from warehouse.recipes.phones import read_phones


def normalise(
    values: pl.Series, *, field: Field, recipe: Recipe, country: pl.Series | None = None
) -> pl.Series:
    """Return the text that a platform hashes for each raw value.

    Parameters
    ----------
    values : Series of str
        Raw values.
    field : Field
        What they are.
    recipe : Recipe
        Whose form is wanted.
    country : Series of str, optional
        Country of each row, for phone numbers and postcodes.

    Returns
    -------
    Series of str
        Null for a value that is hashed already, that the recipe cannot read, or that the platform
        does not take. A placeholder keeps its form: :func:`refusals` tells it.
    """
    text = values.cast(pl.String).str.strip_chars()
    reading = _read(text, _arrivals(text, field), field, country)
    return reading.forms[recipe].alias(values.name)


def refusals(values: pl.Series, *, field: Field, country: pl.Series | None = None) -> pl.Series:
    """Return why a value, raw or hashed, can be nobody's or cannot be read.

    Parameters
    ----------
    values : Series of str
        Raw or hashed values.
    field : Field
        What they are. The rules for external ids fit device and cookie ids too.
    country : Series of str, optional
        Country of each row, for phone numbers.

    Returns
    -------
    Series of str
        A :class:`Refusal`, or null.
    """
    text = values.cast(pl.String).str.strip_chars()
    reading = _read(text, _arrivals(text, field), field, country)
    return reading.refusal.alias(values.name)


def digests(values: pl.Series, *, field: Field, country: pl.Series | None = None) -> pl.DataFrame:
    """Return the SHA-256 of each value under each recipe.

    Parameters
    ----------
    values : Series of str
        Raw or hashed values, also mixed.
    field : Field
        What they are.
    country : Series of str, optional
        Country of each row, for phone numbers and postcodes.

    Returns
    -------
    DataFrame
        One column for each :class:`Recipe`, 64 lower-case hexadecimal digits. (UID2 publishes the
        same 32 bytes as base64: see :func:`base64_from_hex`.) A value that arrived hashed is in
        every column, since any recipe may have made it. A refused value is null in all.
    """
    return judge(values, field=field, country=country)[0]


def judge(
    values: pl.Series, *, field: Field, country: pl.Series | None = None
) -> tuple[pl.DataFrame, pl.Series]:
    """Return :func:`digests` and :func:`refusals` of the same values, read once."""
    text = values.cast(pl.String).str.strip_chars()
    arrivals = _arrivals(text, field)
    reading = _read(text, arrivals, field, country)
    accepted = reading.refusal.is_null()
    made = _hashed(reading.forms.select(pl.when(accepted).then(pl.all())))
    arrived = arrivals["digest"]
    if arrived.null_count() < len(arrived):
        made = made.select(
            pl.coalesce(pl.when(accepted).then(arrived), name).alias(name) for name in made.columns
        )
    return made, reading.refusal.alias(values.name)


def sha256_hex(texts: pl.Series) -> pl.Series:
    """Return the SHA-256 of the UTF-8 bytes of each text as lower-case hex; null stays null.

    DuckDB hashes a column nearly twice as fast as `hashlib` hashes its texts one by one.
    """
    with _duckdb().cursor() as cursor:
        table = pl.DataFrame({"text": texts}).to_arrow()
        hashed = cursor.from_arrow(table).select(
            FunctionExpression("sha256", ColumnExpression("text")).alias("digest")
        )
        return pl.DataFrame(hashed.to_arrow_table())["digest"].alias(texts.name)


def _arrivals(text: pl.Series, field: Field) -> pl.DataFrame:
    digest = arrived_digests(text)
    return pl.DataFrame({"digest": digest, "refusal": arrival_refusals(text, digest, field)})


def _read(
    text: pl.Series, arrivals: pl.DataFrame, field: Field, country: pl.Series | None
) -> Reading:
    """Return what the raw values among `text` say, and the refusals of raw and hashed ones."""
    raw = text.set(arrivals["digest"].is_not_null() | arrivals["refusal"].is_not_null(), None)
    reading = _read_raw(raw, field, country)
    refusal = pl.select(pl.coalesce(arrivals["refusal"], reading.refusal)).to_series()
    return Reading(reading.forms, refusal)


def _read_raw(raw: pl.Series, field: Field, country: pl.Series | None) -> Reading:
    if field is Field.EMAIL:
        return read_emails(raw)
    if country is None:
        country = pl.Series([None], dtype=pl.String).new_from_index(0, len(raw))
    if field is Field.PHONE:
        return read_phones(raw, country)
    return read_attributes(raw, field, country)


def _hashed(forms: pl.DataFrame) -> pl.DataFrame:
    """Return the digest of every form; a form that two recipes share is hashed once."""
    done: dict[str, pl.Series] = {}
    for name in forms.columns:
        form = forms[name]
        digest = pl.Series(name, [None], dtype=pl.String).new_from_index(0, len(form))
        left = form.is_not_null()
        for earlier, known in done.items():
            same = left & (form == forms[earlier]).fill_null(value=False)
            digest = known.zip_with(same, digest)
            left = left & ~same
        rows = left.arg_true()
        if len(rows):
            digest = digest.scatter(rows, sha256_hex(form.gather(rows)))
        done[name] = digest.alias(name)
    return pl.DataFrame(done)


@functools.cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1, "python_enable_replacements": False})
