"""Raw e-mail addresses and phone numbers in text: how they are recognised and blanked.

An e-mail address is recognised anywhere. A phone number is recognised where it is written as one
(+1 555 123 4567, 555-123-4567, tel:...); a bare run of digits may as well be an order number or a
version, so it is blanked only where neither is at home.
"""

import re
from typing import Final

import polars as pl

WITHHELD: Final = "[withheld]"
_AT: Final = r"(?:@|＠|%40|\\u0040|&#64;)"  # noqa: RUF001 -- the fullwidth sign is meant
_WORD: Final = r"[^\s@＠,;\"'<>=&?/]"  # noqa: RUF001
_EMAIL: Final = rf"{_WORD}+{_AT}{_WORD}+\.{_WORD}+"
_ABROAD: Final = r"(?:\+|%2[Bb]|\\u002[Bb]|(?i:tel:))\(?\d(?:[ ().-]{0,2}\d){6,14}"
_AT_HOME: Final = r"\(\d{3}\) ?\d{3}[ -]\d{4}|\b\d{3}[ -]\d{3}[ -]\d{4}\b"
_DIGITS: Final = r"\+?\d[\d ().-]{5,}\d"
_TIME: Final = r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"

_HASH: Final = r"\b[0-9a-fA-F]{64}\b|[A-Za-z0-9+/_-]{43}="

_CONTACT: Final = f"{_EMAIL}|{_ABROAD}|{_AT_HOME}"
_CONTACT_OR_DIGITS: Final = f"{_CONTACT}|{_DIGITS}"


def holds_email(text: pl.Expr) -> pl.Expr:
    """Tell whether a text holds an e-mail address."""
    return text.str.contains(r"[^\s@](?:@|%40)[^\s@]+\.[^\s@]")


def is_phone(text: pl.Expr) -> pl.Expr:
    """Tell whether a text is a phone number, written so that it can be nothing else."""
    return text.str.contains(rf"^\s*(?:{_ABROAD}|{_AT_HOME})\s*$")


def holds_contact(texts: pl.Series, *, digits: bool) -> bool:
    """Tell whether any of `texts` holds what :func:`withhold_contacts` would blank."""
    found = texts.str.contains(_CONTACT_OR_DIGITS if digits else _CONTACT)
    return bool(found.any(ignore_nulls=True))


def name_holds_email(name: str) -> bool:
    """Tell whether the name of a file holds an e-mail address."""
    return re.search(_EMAIL, name) is not None


def without_contacts(text: str) -> str:
    """Return one text, such as an error of a library, without what could name a person."""
    return re.sub(_CONTACT_OR_DIGITS, WITHHELD, text)


def withhold_hashes(text: pl.Expr) -> pl.Expr:
    """Blank what may be the plain SHA-256 of an e-mail address or phone: hexadecimal or base64."""
    return text.str.replace_all(_HASH, WITHHELD)


def withhold_contacts(text: pl.Expr, *, digits: bool) -> pl.Expr:
    """Blank the e-mail addresses and phone numbers in a text.

    Parameters
    ----------
    text : Expr
        Text of any kind.
    digits : bool
        Whether bare runs of seven digits or more go too. Dates and times stay.
    """
    if not digits:
        return text.str.replace_all(_CONTACT, WITHHELD)
    # A time is taken in whole, so that its digits are not, and gets rid of the mark again.
    marked = text.str.replace_all(_CONTACT, WITHHELD).str.replace_all(
        f"({_TIME})|{_DIGITS}", "${1}" + WITHHELD
    )
    return marked.str.replace_all(rf"({_TIME})\[withheld\]", "${1}")
