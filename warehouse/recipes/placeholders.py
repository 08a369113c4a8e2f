"""Values that people and programs put where a person's identifier belongs, and their digests.

The lists are short on purpose: they hold what is nobody's, not what is shared. info@ of a shop is a
shared identifier and is suppressed by how many users have it.
"""

import functools
import hashlib
import itertools
from collections.abc import Iterable
from typing import Final

import phonenumbers
import polars as pl

from warehouse.recipes.fields import Field

# What programs write for a missing value.
_NOTHING: Final = (
    "null", "(null)", "none", "nil", "nan", "n/a", "na", "undefined", "unknown", "not provided",
    "[object object]", "false", "true", "-", ".", "0",
)  # fmt: skip
# Names are people's: Null, None, Na and Nan are borne, so only what no register would hold.
_NO_NAME: Final = ("(null)", "n/a", "undefined", "not provided", "[object object]")

_USERS: Final = (
    "test", "test1", "test123", "testing", "tester", "testtest",
    "noemail", "no-email", "no_email", "no.email", "nomail", "no-mail", "none", "null", "nil",
    "undefined", "unknown", "notprovided", "fake", "dummy", "invalid", "anonymous",
    "noreply", "no-reply", "no_reply", "donotreply", "do-not-reply",
)  # fmt: skip
_DOMAINS: Final = (
    "test", "testing", "noemail", "no-email", "nomail", "none", "null", "na", "nil", "undefined",
    "unknown", "fake", "dummy", "invalid",
)  # fmt: skip
# RFC 2606 reserves these for good. It reserves example.com as well, which stays allowed: made-up
# data lives there, and such an address is on no user's account.
_RESERVED: Final = ("test", "example", "invalid", "localhost")


def _any_of(words: Iterable[str]) -> str:
    return "|".join(word.replace(".", r"\.") for word in words)


PLACEHOLDER_EMAIL: Final = (
    rf"^(?:{_any_of(_USERS)}|test\d+)(?:\+[^@]*)?@"
    rf"|@(?:{_any_of(_DOMAINS)})\.(?:com|net|org)$"
    rf"|\.(?:{_any_of(_RESERVED)})$"
)
"""Matches an e-mail address in lower case that is nobody's."""

_ONE_DIGIT: Final = "|".join(f"{digit}+" for digit in range(10))
_COUNTED: Final = (
    "1234567", "12345678", "123456789", "1234567890", "0123456789", "01234567890",
    "987654321", "9876543210", "0987654321",
)  # fmt: skip
PLACEHOLDER_DIGITS: Final = rf"^(?:{_ONE_DIGIT}|{_any_of(_COUNTED)})$"
"""Matches the digits of a phone number, with or without calling code, that is nobody's."""

_ZERO_ID: Final = r"^[0{}-]*0[0{}-]*$"


def placeholders(text: pl.Series, field: Field) -> pl.Series:
    """Tell which values of an attribute or id are placeholders.

    Parameters
    ----------
    text : Series of str
        Raw values without surrounding space.
    field : Field
        Anything but e-mail and phone, which have patterns of their own.

    Returns
    -------
    Series of bool
        True for a placeholder, false or null for any other value. The rule for external ids is that
        for device and cookie ids: an id of zeros alone, however grouped, is nobody's.
    """
    lower = text.str.to_lowercase()
    if field in {Field.FIRST_NAME, Field.LAST_NAME}:
        return lower.is_in(list(_NO_NAME))
    if field is Field.COUNTRY:
        return lower.is_in([word for word in _NOTHING if word != "na"])  # Namibia
    return lower.is_in(list(_NOTHING)) | lower.str.contains(_ZERO_ID)


@functools.cache
def digests_of_nothing() -> pl.Series:
    """Return the SHA-256 of empty and missing values in the ways that programs write them."""
    words = ["", " ", *_NOTHING]
    written = [way(word) for word in words for way in (str, str.upper, str.title)]
    return _digests([*written, "NaN", "[object Object]"])


@functools.cache
def digests_of_placeholders(field: Field) -> pl.Series:
    """Return the SHA-256 of a field's common placeholders, in the form of each recipe."""
    if field is Field.EMAIL:
        hosts = ["gmail", "googlemail", "yahoo", "hotmail", "outlook", "icloud", "aol", "mail"]
        domains = [f"{name}.com" for name in (*hosts, "email", "example", "abc", *_DOMAINS)]
        users = [*_USERS, *(user.replace(".", "") for user in _USERS), *_DOMAINS]
        return _digests(f"{user}@{domain}" for user, domain in itertools.product(users, domains))
    if field is Field.PHONE:
        return _digests(_placeholder_numbers())
    zero_ids = ("00000000-0000-0000-0000-000000000000", *("0" * size for size in range(1, 65)))
    return _digests(zero_ids if field is Field.EXTERNAL_ID else ())


def _placeholder_numbers() -> Iterable[str]:
    repeated = [str(digit) * size for digit in range(10) for size in range(7, 13)]
    for code in ("", *phonenumbers.COUNTRY_CODE_TO_REGION_CODE):
        for number in (*repeated, *_COUNTED):
            yield f"{code}{number}"
            yield f"+{code}{number}"


def _digests(texts: Iterable[str]) -> pl.Series:
    unique = sorted({hashlib.sha256(text.encode()).hexdigest() for text in texts})
    return pl.Series(unique, dtype=pl.String)
