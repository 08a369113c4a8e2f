"""Values that are nobody's, raw and hashed, and those that only look it."""

import functools
import hashlib

import polars as pl
import pytest

from warehouse.recipes import Field, Refusal, digests, refusals


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


REFUSED = [
    (Field.EMAIL, "", None, Refusal.EMPTY),
    (Field.EMAIL, " \t", None, Refusal.EMPTY),
    (Field.EMAIL, "test@test.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "TEST+1@gmail.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "noemail@shop.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "ann@noemail.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "na@na.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "noreply@shop.com", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "ann@shop.invalid", None, Refusal.PLACEHOLDER),
    (Field.EMAIL, "null", None, Refusal.MALFORMED),
    (Field.EMAIL, "ann", None, Refusal.MALFORMED),
    (Field.EMAIL, "ann@shop", None, Refusal.MALFORMED),
    (Field.EMAIL, "ann@shop.com,ben@shop.com", None, Refusal.MALFORMED),
    (Field.EMAIL, "ann\u200b@shop.com", None, Refusal.MALFORMED),
    (Field.EMAIL, "ann lee@shop.com", None, Refusal.SPACE_INSIDE),
    (Field.EMAIL, "d41d8cd98f00b204e9800998ecf8427e", None, Refusal.UNSUPPORTED_HASH),
    (Field.EMAIL, "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", None, Refusal.UNSUPPORTED_HASH),
    (Field.EMAIL, sha256(""), None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, sha256("").upper(), None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, "0" * 64, None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, sha256("null"), None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, sha256("NULL"), None, Refusal.HASH_OF_NOTHING),
    (Field.EMAIL, sha256("test@test.com"), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.EMAIL, sha256("noemail@gmail.com"), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.PHONE, "0000000000", "US", Refusal.PLACEHOLDER),
    (Field.PHONE, "+1 000-000-0000", None, Refusal.PLACEHOLDER),
    (Field.PHONE, "(999) 999-9999", "US", Refusal.PLACEHOLDER),
    (Field.PHONE, "1234567890", "US", Refusal.PLACEHOLDER),
    (Field.PHONE, "(650) 555-1212", None, Refusal.NO_COUNTRY),
    (Field.PHONE, "(650) 555-1212", "XX", Refusal.NO_COUNTRY),
    (Field.PHONE, "16505551212", None, Refusal.NO_COUNTRY),
    (Field.PHONE, "555-1212", "US", Refusal.IMPOSSIBLE_NUMBER),
    (Field.PHONE, "+44 20 7946", None, Refusal.IMPOSSIBLE_NUMBER),
    (Field.PHONE, "+1 650 555 1212 000", None, Refusal.IMPOSSIBLE_NUMBER),
    (Field.PHONE, "+999 650 555 1212", None, Refusal.MALFORMED),
    (Field.PHONE, "none", "US", Refusal.MALFORMED),
    (Field.PHONE, "12" * 2500, "US", Refusal.MALFORMED),
    (Field.PHONE, sha256(""), None, Refusal.HASH_OF_NOTHING),
    (Field.PHONE, sha256("+10000000000"), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.PHONE, sha256("0000000000"), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.PHONE, sha256("11111111111"), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.EXTERNAL_ID, "00000000-0000-0000-0000-000000000000", None, Refusal.PLACEHOLDER),
    (Field.EXTERNAL_ID, "{00000000-0000-0000-0000-000000000000}", None, Refusal.PLACEHOLDER),
    (Field.EXTERNAL_ID, "0", None, Refusal.PLACEHOLDER),
    (Field.EXTERNAL_ID, "NULL", None, Refusal.PLACEHOLDER),
    (Field.EXTERNAL_ID, sha256("0" * 16), None, Refusal.HASH_OF_PLACEHOLDER),
    (Field.EXTERNAL_ID, sha256(""), None, Refusal.HASH_OF_NOTHING),
    (Field.FIRST_NAME, "N/A", None, Refusal.PLACEHOLDER),
    (Field.LAST_NAME, "...", None, Refusal.MALFORMED),
    (Field.CITY, "unknown", None, Refusal.PLACEHOLDER),
    (Field.POSTCODE, "00000", None, Refusal.PLACEHOLDER),
    (Field.COUNTRY, "Atlantis", None, Refusal.MALFORMED),
]
ACCEPTED = [
    (Field.EMAIL, "testa@gmail.com", None),
    (Field.EMAIL, "test.driver@shop.com", None),
    (Field.EMAIL, "nona@shop.com", None),
    (Field.EMAIL, "na@shop.com", None),
    (Field.EMAIL, "ann@contest.com", None),
    (Field.EMAIL, "ann@example.com", None),
    (Field.EMAIL, sha256("ann@shop.com"), None),
    (Field.PHONE, "+16505551212", None),
    (Field.PHONE, "447911123456", None),
    (Field.PHONE, "0044 7911 123456", None),
    (Field.PHONE, "650-555-1212", "United States"),
    (Field.LAST_NAME, "Null", None),
    (Field.LAST_NAME, "Na", None),
    (Field.COUNTRY, "NA", None),
    (Field.EXTERNAL_ID, "100", None),
    (Field.EXTERNAL_ID, "00000000-0000-0000-0000-000000000001", None),
    (Field.POSTCODE, "00950", None),
]


@functools.cache
def read(field):
    """Return the reason and the digests of every case of a field, read together."""
    cases = [case[:3] for case in (*REFUSED, *ACCEPTED) if case[0] is field]
    values = pl.Series([value for _, value, _ in cases])
    country = pl.Series([country for *_, country in cases], dtype=pl.String)
    reasons = refusals(values, field=field, country=country)
    rows = digests(values, field=field, country=country).rows()
    return dict(zip(cases, zip(reasons, rows, strict=True), strict=True))


@pytest.mark.parametrize(("field", "value", "country", "reason"), REFUSED)
def test_a_value_that_is_nobody_s_is_refused_with_its_reason(field, value, country, reason):
    assert read(field)[field, value, country] == (reason, (None,) * 4)


@pytest.mark.parametrize(("field", "value", "country"), ACCEPTED)
def test_a_value_that_only_looks_like_a_placeholder_is_kept(field, value, country):
    reason, made = read(field)[field, value, country]

    assert reason is None
    assert None not in made[:3]


def test_every_reason_is_met():
    assert {reason for *_, reason in REFUSED} == set(Refusal)
