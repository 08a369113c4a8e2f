"""E-mail addresses and phone numbers, their garbled forms and their digests."""

import hashlib

import numpy as np
import polars as pl

from simulation.arrays import Bools, Chars, Ints, Words
from simulation.hashing import mix, uniform
from simulation.places import load_atlas
from simulation.texts import digit_chars, join_chars, pick

_FIRST = (
    "james", "mary", "john", "linda", "robert", "susan", "david", "karen", "paul", "lisa", "mark",
    "anna", "peter", "laura", "kevin", "emma", "brian", "julia", "jason", "olivia", "lukas",
    "lena", "felix", "marie", "jonas", "sophie", "louis", "camille", "hugo", "chloe", "haruto",
    "yui", "ren", "sakura", "joao", "maria", "pedro", "ana", "lucas", "beatriz",
)  # fmt: skip
_LAST = (
    "smith", "johnson", "williams", "brown", "jones", "miller", "davis", "garcia", "wilson",
    "taylor", "clark", "lewis", "walker", "hall", "young", "king", "wright", "schmidt", "weber",
    "fischer", "wagner", "becker", "martin", "bernard", "petit", "durand", "moreau", "sato",
    "suzuki", "tanaka", "ito", "yamamoto", "silva", "santos", "oliveira", "souza", "lima",
    "costa", "ferreira", "evans", "hughes", "patel", "khan", "murphy",
)  # fmt: skip
# Assumed shares of mail providers: a repeated entry weighs more.
_DOMAINS = (
    *("gmail.com",) * 9, *("yahoo.com",) * 2, *("hotmail.com",) * 2, *("icloud.com",) * 2,
    "outlook.com", "proton.me", "gmx.de", "web.de", "orange.fr", "yahoo.co.jp", "uol.com.br",
)  # fmt: skip
JUNK_EMAILS = ("test@test.com", "noemail@noemail.com", "na@na.com", "none@none.com")


def write_emails(number: Ints, *, other: Bools | None = None) -> pl.Series:
    """Return each person's normalised e-mail address.

    Parameters
    ----------
    number : ndarray of shape (n,)
        Person numbers; the address holds the number, so no two people share one by chance.
    other : ndarray of shape (n,), optional
        Where true, the person's second address, unknown to the platform.
    """
    second = np.zeros(len(number), dtype=np.int64) if other is None else other.astype(np.int64)
    word = mix(51, number, second)
    first = pick(_FIRST, (word % np.uint64(len(_FIRST))).astype(np.int64))
    last = pick(_LAST, (word >> np.uint64(16) & np.uint64(0xFFFF)).astype(np.int64) % len(_LAST))
    domain = pick(
        _DOMAINS, (word >> np.uint64(32) & np.uint64(0xFFFF)).astype(np.int64) % len(_DOMAINS)
    )
    tail = pl.Series(number * 2 + second, dtype=pl.Int64).cast(pl.String)
    return pl.select(pl.concat_str(first, pl.lit("."), last, tail, pl.lit("@"), domain)).to_series()


def write_phones(number: Ints, city: Ints, *, other: Bools | None = None) -> pl.Series:
    """Return each person's phone number in E.164 with the leading plus."""
    atlas = load_atlas()
    second = np.zeros(len(number), dtype=np.int64) if other is None else other.astype(np.int64)
    country = atlas.country_of[city]
    # A person has one line of each city's prefix: distinct numbers stay distinct up to half of the
    # lines.
    line = (number * 2 + second) * 7919 + 2_345_678
    short = join_chars(digit_chars(line, 7))
    long = join_chars(digit_chars(line, 8))
    tail = pl.select(
        pl.when(pl.Series(atlas.line_digits[country] == 8)).then(long).otherwise(short)
    ).to_series()
    prefix = pick([f"+{code}" for code in atlas.calling_codes], country)
    return pl.select(pl.concat_str(prefix, pick(atlas.area_codes, city), tail)).to_series()


def garble_emails(emails: pl.Series, draw: Ints) -> pl.Series:
    """Return addresses as typed: capitals, blanks around (`draw` 0 to 3; above 3: untouched)."""
    initial = pl.concat_str(emails.str.head(1).str.to_uppercase(), emails.str.slice(1))
    forms = (
        emails.str.to_uppercase(),
        pl.concat_str(pl.lit(" "), emails, pl.lit("  ")),
        initial,
        pl.concat_str(emails.str.to_titlecase(), pl.lit("\t")),
    )
    return _choose(forms, draw, emails)


def garble_phones(phones: pl.Series, country: Ints, draw: Ints) -> pl.Series:
    """Return numbers as typed: spaced, with 00, bare, national (`draw` as in `garble_emails`)."""
    code = pick(load_atlas().calling_codes, country)
    national = phones.str.slice(code.str.len_chars() + 1)
    area, line = national.str.head(3), national.str.slice(3)
    forms = (
        pl.concat_str(pl.lit("+"), code, pl.lit(" ("), area, pl.lit(") "), line),
        pl.concat_str(pl.lit("00"), code, pl.lit(" "), national),
        pl.concat_str(code, national),
        pl.concat_str(area, pl.lit("-"), line),
    )
    return _choose(forms, draw, phones)


def digest_bytes(texts: pl.Series) -> Chars:
    """Return the SHA-256 of each text as a row of 32 bytes (a null digests as the empty text)."""
    joined = b"".join(
        hashlib.sha256(text.encode()).digest() for text in texts.fill_null("").to_list()
    )
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 32)


def has_given(key: Words, share: float, what: int) -> Bools:
    """Return who gave the platform a kind of contact (`what` tells the kinds apart)."""
    given: Bools = uniform(52, what, key) < share
    return given


def _choose(forms: tuple[pl.Series | pl.Expr, ...], draw: Ints, otherwise: pl.Series) -> pl.Series:
    """Return the form that each row's draw names, or the text itself."""
    form = pl.Series(draw)
    chosen = pl.lit(otherwise)
    for number, text in enumerate(forms):
        chosen = pl.when(form == number).then(text).otherwise(chosen)
    return pl.select(chosen).to_series()
