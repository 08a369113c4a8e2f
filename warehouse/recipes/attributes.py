"""Names, places and external ids in each platform's form."""

from typing import Final

import polars as pl
import pycountry

from warehouse.recipes.fields import Field, Reading, Recipe, Refusal
from warehouse.recipes.placeholders import placeholders

_NOT_A_LETTER: Final = r"[^\p{L}\p{M}]"


def read_attributes(text: pl.Series, field: Field, country: pl.Series) -> Reading:
    """Return names, places or external ids as each platform hashes or compares them.

    Parameters
    ----------
    text : Series of str
        Raw values without surrounding space.
    field : Field
        Anything but e-mail and phone.
    country : Series of str
        Country of each row; it tells which postcodes are of the United States.

    Notes
    -----
    UID2 takes none of these. Google hashes names, and sends place and country as they are; the
    digest is made all the same, as a key to compare by.
    """
    match field:
        case Field.FIRST_NAME | Field.LAST_NAME:
            meta, google = _names(text)
        case Field.CITY:
            meta, google = _cities(text)
        case Field.POSTCODE:
            meta, google = _postcodes(text, country)
        case Field.COUNTRY:
            google = alpha2(text)
            meta = google.str.to_lowercase()
        case _:
            meta = google = text
    forms = {Recipe.META: meta, Recipe.GOOGLE: google, Recipe.TIKTOK: meta}
    frame = pl.DataFrame({recipe: form.set(form == "", None) for recipe, form in forms.items()})
    frame = frame.with_columns(pl.lit(None, pl.String).alias(Recipe.UID2))
    refusal = pl.select(
        pl.when(placeholders(text, field))
        .then(pl.lit(Refusal.PLACEHOLDER))
        .when(text.is_not_null() & frame[Recipe.META].is_null())
        .then(pl.lit(Refusal.MALFORMED))
    ).to_series()
    return Reading(frame, refusal)


def _names(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return names as Meta and as Google write them.

    Meta, fn and ln: "Lowercase only with no punctuation. If using special characters, the text must
    be encoded in UTF-8 format." TikTok: lower case without punctuation, special letters allowed.
    Google, given_name and family_name: lower case, trimmed; its library keeps punctuation.
    """
    lower = text.str.to_lowercase()
    return lower.str.replace_all(r"\p{P}", "").str.strip_chars(), lower


def _cities(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return cities as Meta and as Google write them.

    Meta, ct: "Lowercase only with no punctuation, no special characters, and no spaces"; its
    library removes figures as well. Google's library: lower case, without signs other than letters,
    figures and space.
    """
    lower = text.str.to_lowercase()
    google = lower.str.replace_all(r"[^\p{L}\p{N}\s]", "").str.strip_chars()
    return lower.str.replace_all(_NOT_A_LETTER, ""), google


def _postcodes(text: pl.Series, country: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return postcodes as Meta and as Google write them.

    Meta, zp: "Use lowercase with no spaces and no dash. Use only the first 5 digits for U.S. zip
    codes." Without a country, 94035-1234 is taken for one: only they are written 5-4.
    Google, postal_code: trimmed only.
    """
    bare = text.str.to_lowercase().str.replace_all(r"[\s\p{Pd}]", "")
    is_us = (alpha2(country) == "US").fill_null(value=False)
    unplaced = country.is_null() & text.str.contains("^[0-9]{5}-[0-9]{4}$")
    zip_code = (is_us & bare.str.contains("^[0-9]{5}")) | unplaced
    return bare.zip_with(~zip_code, bare.str.head(5)), text


def alpha2(country: pl.Series) -> pl.Series:
    """Return countries as upper-case ISO 3166-1 alpha-2; null for what is no country.

    Codes of two, three or figures and the English names are understood: Meta's own example is
    "United States", which becomes us.
    """
    known = country.unique().drop_nulls()
    codes = [_alpha2(name) for name in known]
    new = pl.Series(codes, dtype=pl.String)
    return country.replace_strict(known, new, default=None, return_dtype=pl.String)


def _alpha2(name: str) -> str | None:
    for written in (name.strip(), "".join(filter(str.isalpha, name))):
        try:
            return str(pycountry.countries.lookup(written).alpha_2)
        except LookupError:
            continue
    return None
