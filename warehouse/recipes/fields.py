"""The platforms whose recipes are known, the fields they cover and the reasons for a refusal."""

from dataclasses import dataclass
from enum import StrEnum

import polars as pl


class Recipe(StrEnum):
    """A platform's way to bring a value into the form that is hashed.

    References
    ----------
    META
        Conversions API, "Customer Information Parameters", Formatting the user_data Parameters:
        https://developers.facebook.com/docs/marketing-api/conversions-api/parameters/customer-information-parameters
    GOOGLE
        Data Manager API, "Format user data":
        https://developers.google.com/data-manager/api/get-started/formatting
    TIKTOK
        Events API 2.0, user parameters, and TikTok's own server-side tag template:
        https://business-api.tiktok.com/portal/docs?id=1771101303285761
        https://github.com/tiktok/gtm-template-eapi
    UID2
        "Normalization and Encoding" (e-mail and phone are all that UID2 takes):
        https://unifiedid.com/docs/getting-started/gs-normalization-encoding
    """

    META = "meta"
    GOOGLE = "google"
    TIKTOK = "tiktok"
    UID2 = "uid2"


class Field(StrEnum):
    """What a value says about a person."""

    EMAIL = "email"
    PHONE = "phone"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    POSTCODE = "postcode"
    CITY = "city"
    COUNTRY = "country"
    EXTERNAL_ID = "external_id"


class Refusal(StrEnum):
    """Why a value can be nobody's, or cannot be read."""

    EMPTY = "empty"
    """Nothing but space."""
    SPACE_INSIDE = "space_inside"
    """An e-mail address with space inside it: the platforms disagree on what it means."""
    MALFORMED = "malformed"
    """Not what the field holds, e.g. an e-mail address without a domain."""
    PLACEHOLDER = "placeholder"
    """Typed to get past a form: test@..., 000..., null."""
    NO_COUNTRY = "no_country"
    """A phone number without + or 00, and no country to read it in."""
    IMPOSSIBLE_NUMBER = "impossible_number"
    """A phone number too short or too long for its country."""
    UNSUPPORTED_HASH = "unsupported_hash"
    """MD5 or SHA-1, by its length."""
    HASH_OF_NOTHING = "hash_of_nothing"
    """The SHA-256 of an empty text, of "null" and its like, or one digit repeated."""
    HASH_OF_PLACEHOLDER = "hash_of_placeholder"
    """The SHA-256 of a common placeholder."""


@dataclass(frozen=True)
class Reading:
    """What one column of raw values says.

    Attributes
    ----------
    forms : DataFrame
        One column for each recipe: the text that it hashes, or null.
    refusal : Series
        A :class:`Refusal`, or null.
    """

    forms: pl.DataFrame
    refusal: pl.Series
