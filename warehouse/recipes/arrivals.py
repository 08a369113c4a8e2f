"""Values that arrive hashed: how they are recognised and brought into one form, lower-case hex."""

from typing import Final

import polars as pl

from warehouse.recipes.fields import Field, Refusal
from warehouse.recipes.placeholders import digests_of_nothing, digests_of_placeholders

_HEX: Final = "^[0-9a-fA-F]+$"
# 32 bytes fill 43 signs of base64, the last of which carries 4 bits only, and one of padding.
_BASE64: Final = r"^[A-Za-z0-9+/_-]{42}[AEIMQUYcgkosw048]=$"
_REPEATED: Final = "^(?:" + "|".join(f"{sign}+" for sign in "0123456789abcdef") + ")$"


def arrived_digests(values: pl.Series) -> pl.Series:
    """Return the SHA-256 digests among `values` as 64 lower-case hexadecimal digits, else null.

    Parameters
    ----------
    values : Series of str
        Anything, e.g. a column that holds raw and hashed values side by side.

    Notes
    -----
    Meta, Google and TikTok publish hex, in either case; UID2 publishes base64 of the 32 bytes,
    not of their hex ("Normalization and Encoding", Email Address Hash Encoding), and Google takes
    both. The alphabet of URLs (- and _) is read too.
    Which recipe a digest was made with cannot be seen: it is to be looked up under each.
    """
    text = values.str.strip_chars()
    digests = pl.Series(values.name, [None], dtype=pl.String).new_from_index(0, len(values))
    size = text.str.len_bytes()
    hexed = _rows(text, size == 64, _HEX)
    encoded = _rows(text, size == 44, _BASE64)
    if len(hexed):
        digests = digests.scatter(hexed, text.gather(hexed).str.to_lowercase())
    if len(encoded):
        digests = digests.scatter(encoded, hex_from_base64(text.gather(encoded)))
    return digests


def hex_from_base64(values: pl.Series) -> pl.Series:
    """Return base64, as UID2 publishes digests, as lower-case hexadecimal digits."""
    plain = values.str.replace_many(["-", "_"], ["+", "/"])
    return plain.str.decode("base64").bin.encode("hex")


def base64_from_hex(digests: pl.Series) -> pl.Series:
    """Return hexadecimal digests as base64, the form in which UID2 publishes them."""
    return digests.str.decode("hex").bin.encode("base64")


def arrival_refusals(text: pl.Series, digests: pl.Series, field: Field) -> pl.Series:
    """Return why a value is refused before its content is read, or null.

    Parameters
    ----------
    text : Series of str
        Values without surrounding space.
    digests : Series of str
        What :func:`arrived_digests` made of them.
    field : Field
        The field that they come from. An id of 32 hexadecimal digits is a UUID, not an MD5.
    """
    size = text.str.len_bytes()
    is_weak = ((size == 32) | (size == 40)) & (field is not Field.EXTERNAL_ID)
    weak = _rows(text, is_weak, _HEX)
    positions = {
        Refusal.EMPTY: (text == "").arg_true(),
        Refusal.UNSUPPORTED_HASH: weak,
        **_empty_digests(digests, field),
    }
    refusal = pl.Series([None], dtype=pl.String).new_from_index(0, len(text))
    for reason, rows in positions.items():
        refusal = refusal.scatter(rows, pl.Series([reason.value]).new_from_index(0, len(rows)))
    return refusal


def _empty_digests(digests: pl.Series, field: Field) -> dict[Refusal, pl.Series]:
    """Return the positions of digests that stand for nobody."""
    hashed = digests.is_not_null().arg_true()
    if not len(hashed):
        return {}
    found = digests.gather(hashed)
    nothing = found.is_in(digests_of_nothing().implode()) | found.str.contains(_REPEATED)
    placeholder = found.is_in(digests_of_placeholders(field).implode())
    return {
        Refusal.HASH_OF_PLACEHOLDER: hashed.filter(placeholder),
        Refusal.HASH_OF_NOTHING: hashed.filter(nothing),
    }


def _rows(text: pl.Series, chosen: pl.Series, pattern: str) -> pl.Series:
    """Return the positions among the `chosen` rows whose text matches `pattern`."""
    rows = chosen.arg_true()
    return rows.filter(text.gather(rows).str.contains(pattern))
