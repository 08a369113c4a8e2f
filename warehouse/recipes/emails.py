"""E-mail addresses in each platform's form."""

import string
from typing import Final

import polars as pl

from warehouse.recipes.fields import Reading, Recipe, Refusal
from warehouse.recipes.placeholders import PLACEHOLDER_EMAIL

# One @, a dot in the domain, and none of the signs that RFC 5322 allows in quotes only: they come
# from "Ann <ann@shop.com>" or from lists of addresses.
_SIGN: Final = r"[^@\s<>(),;:\"\[\]\\\p{Cc}\p{Cf}]"
_ADDRESS: Final = rf"^{_SIGN}+@{_SIGN}+\.{_SIGN}+$"


def read_emails(text: pl.Series) -> Reading:
    """Return e-mail addresses as each platform hashes them.

    Parameters
    ----------
    text : Series of str
        Raw addresses without surrounding space.

    Notes
    -----
    Meta: "Trim any leading and trailing spaces. Convert all characters to lowercase."

    TikTok: the same; its tag template trims, lowers and hashes.

    Google: lower case, and for gmail.com and googlemail.com "remove all dots (.) before the @
    symbol"; Google's own library (google-ads-datamanager-util) removes a plus sign and what follows
    it as well, which the page leaves out. googlemail.com is not turned into gmail.com.

    UID2: "Convert all ASCII characters to lowercase"; for gmail.com alone, dots and a plus sign
    with what follows it are removed. googlemail.com keeps both.

    An international domain stays as it is written: none of the four turns it into punycode.
    """
    lower = text.str.to_lowercase()
    well_formed = lower.str.contains(_ADDRESS)
    kept = lower.set(~well_formed, None)
    forms = {
        Recipe.META: kept,
        Recipe.GOOGLE: _plain_gmail(kept, ("@gmail.com", "@googlemail.com")),
        Recipe.TIKTOK: kept,
        Recipe.UID2: _plain_gmail(_ascii_lower(text, kept), ("@gmail.com",)),
    }
    return Reading(pl.DataFrame(forms), _refusals(lower, well_formed))


def _refusals(lower: pl.Series, well_formed: pl.Series) -> pl.Series:
    space, placeholder = lower.str.contains(r"\s"), lower.str.contains(PLACEHOLDER_EMAIL)
    return pl.select(
        pl.when(~well_formed & space)
        .then(pl.lit(Refusal.SPACE_INSIDE))
        .when(~well_formed)
        .then(pl.lit(Refusal.MALFORMED))
        .when(placeholder)
        .then(pl.lit(Refusal.PLACEHOLDER))
    ).to_series()


def _plain_gmail(address: pl.Series, endings: tuple[str, ...]) -> pl.Series:
    """Return `address` without dots and tag where it has one of `endings`; null if none is left."""
    for ending in endings:
        rows = address.str.ends_with(ending).fill_null(value=False)
        user = (
            address.filter(rows)
            .str.head(-len(ending))
            .str.replace(r"\+.*$", "")
            .str.replace_all(".", "", literal=True)
        )
        plain = (user + ending).set(user == "", None)
        address = address.clone().scatter(rows.arg_true(), plain)
    return address


def _ascii_lower(text: pl.Series, lower: pl.Series) -> pl.Series:
    """Return `text` with A to Z alone in lower case; `lower` is it in lower case, or null."""
    rows = (text.str.len_bytes() != text.str.len_chars()) & lower.is_not_null()
    if not rows.any():
        return lower
    letters = text.filter(rows).str.replace_many(
        list(string.ascii_uppercase), list(string.ascii_lowercase)
    )
    return lower.clone().scatter(rows.arg_true(), letters)
