"""Raw e-mail addresses, phone numbers and plain hashes in text: how they are told and blanked.

An e-mail address is recognised anywhere. A phone number is recognised where it is written as one
(+1 555 123 4567, 555-123-4567, tel:...); a bare run of digits may as well be an order number or a
version, so it is blanked only where neither is at home. The plain SHA-256 of either is as good as
the address itself to anyone who has a list of addresses; but an id may be a hash of anything.
"""

import re
from typing import Final

import polars as pl

WITHHELD: Final = "[withheld]"

# Written as escapes: full-width and small @, the dots of other scripts, spaces that do not break.
_SIGNS: Final = "@\uff20\ufe6b"
_AT: Final = rf"(?:[{_SIGNS}]|%(?:25)*40|\\u0040|&(?:#64|#[xX]40|commat);)"
_DOT: Final = r"(?:[.\u3002\uff0e\uff61]|%(?:25)*2[Ee])"
_WORD: Final = rf"[^\s{_SIGNS},;\"'<>=&?/]"
_QUOTED: Final = r"\"+[^\"]*\"+"  # "ann"@corp.example, its quotes doubled within CSV
_EMAIL: Final = rf"(?:{_WORD}+|{_QUOTED}){_AT}{_WORD}+{_DOT}{_WORD}+"

_BLANK: Final = r" \u00a0\u2000-\u200b\u202f\u3000"
_DASH: Final = r"\u2010-\u2015\u2212\uff0d-"
_BETWEEN: Final = rf"{_BLANK}().\uff08\uff09{_DASH}"
_GAP: Final = rf"[{_BLANK}{_DASH}]"
_PLUS: Final = r"(?:[+\uff0b]|%(?:25)*2[Bb]|\\u002[Bb])"
_ABROAD: Final = (
    rf"(?:{_PLUS}|(?i:tel:)[{_BLANK}]?{_PLUS}?)[(\uff08]?\d(?:[{_BETWEEN}]{{0,2}}\d){{6,14}}"
)
# The edge is one of ASCII: that of Unicode takes ten times as long where a text is not English.
_EDGE: Final = r"(?-u:\b)"
_FOREIGN: Final = r"[\u0660-\u0669\u06f0-\u06f9\uff10-\uff19]"
_AT_HOME: Final = (
    rf"\(\d{{3}}\)[{_BLANK}]?\d{{3}}{_GAP}\d{{4}}"
    rf"|{_EDGE}[0-9]{{3}}{_GAP}[0-9]{{3}}{_GAP}[0-9]{{4}}{_EDGE}"
    rf"|{_FOREIGN}{{3}}{_GAP}{_FOREIGN}{{3}}{_GAP}{_FOREIGN}{{4}}"
)
_EXTENSION: Final = rf"(?:[{_BLANK},;]*(?i:extension|ext|x|#)[{_BLANK}.:=]*\d{{1,7}})?"
_DIGITS: Final = rf"\+?\d[\d{_BETWEEN}]{{5,}}\d"
_TIME: Final = r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?"

_HEX: Final = r"[0-9a-fA-F]{64,}"
_END: Final = r"(?:=|%(?:25)*3[Dd]|\\u003[Dd])"
_BASE64: Final = rf"(?:[A-Za-z0-9+/_-]|\\/|%(?:25)*2[BbFf]|\\u002[BbFf]){{43}}{_END}"

_CONTACT: Final = f"{_EMAIL}|{_ABROAD}|{_AT_HOME}"
_CONTACT_OR_DIGITS: Final = f"{_CONTACT}|{_DIGITS}"
_IN_PYTHON: Final = re.compile(_CONTACT_OR_DIGITS.replace(_EDGE, r"\b"))


def holds_email(text: pl.Expr) -> pl.Expr:
    """Tell whether a text holds an e-mail address."""
    return text.str.contains(rf"[^\s{_SIGNS}]{_AT}[^\s{_SIGNS}]+{_DOT}[^\s{_SIGNS}]")


def is_phone(text: pl.Expr) -> pl.Expr:
    """Tell whether a text is a phone number, written so that it can be nothing else."""
    return text.str.contains(rf"^\s*(?:{_ABROAD}|{_AT_HOME}){_EXTENSION}\s*$")


def needs_withholding(texts: pl.Series, *, digits: bool) -> bool:
    """Tell whether any of `texts` holds what :func:`withhold` would blank."""
    contact = _CONTACT_OR_DIGITS if digits else _CONTACT
    if texts.str.contains(f"{contact}|{_HEX}").any(ignore_nulls=True):
        return True
    long = texts.filter(texts.str.len_bytes() >= 44)  # no place or address; and few have a =
    ended = long.filter(long.str.contains(_END))
    return bool(ended.str.contains(_BASE64).any(ignore_nulls=True))


def name_holds_email(name: str) -> bool:
    """Tell whether the name of a file holds an e-mail address."""
    return re.search(_EMAIL, name) is not None


def without_contacts(text: str) -> str:
    """Return one text, such as an error of a library, without what could name a person."""
    return _IN_PYTHON.sub(WITHHELD, text)


def withhold(text: pl.Expr, *, digits: bool) -> pl.Expr:
    """Blank e-mail addresses, phone numbers, and what may be the plain SHA-256 of either.

    Parameters
    ----------
    text : Expr
        Text of any kind.
    digits : bool
        Whether bare runs of seven digits or more go too. Dates and times stay.
    """
    # Hashes first: runs of digits inside them would be taken for phones.
    return withhold_contacts(text.str.replace_all(f"{_HEX}|{_BASE64}", WITHHELD), digits=digits)


def withhold_contacts(text: pl.Expr, *, digits: bool) -> pl.Expr:
    """Blank the e-mail addresses and phone numbers in a text, and leave hashes alone.

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
