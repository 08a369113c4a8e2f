"""What holds for every value, whoever's recipe it is."""

import hashlib

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse.recipes import (
    Field,
    Recipe,
    arrived_digests,
    base64_from_hex,
    digests,
    normalise,
    refusals,
    sha256_hex,
)

COUNTRIES = st.sampled_from([None, "US", "gb", "Germany", "XX"])
EMAILS = st.from_regex(r"[a-zA-Z0-9.+]{1,12}@(gmail|googlemail|Example)\.com", fullmatch=True)
PHONES = st.from_regex(r"(\+|00|0)?[1-9][0-9 ().-]{5,14}[0-9]", fullmatch=True)
ANYTHING = st.text(max_size=20) | EMAILS | PHONES
ROWS = st.lists(st.tuples(st.none() | ANYTHING, COUNTRIES), max_size=6)
# The first call loads the countries' number plans, so no example has a deadline.
FEW = settings(max_examples=8, deadline=None)


def columns(rows):
    values = pl.Series("value", [value for value, _ in rows], dtype=pl.String)
    return values, pl.Series("country", [country for _, country in rows], dtype=pl.String)


@pytest.mark.parametrize("field", Field)
@FEW
@given(rows=ROWS)
def test_a_normal_form_is_its_own_normal_form(field, rows):
    values, country = columns(rows)
    for recipe in Recipe:
        once = normalise(values, field=field, recipe=recipe, country=country)
        if field is Field.PHONE and recipe is Recipe.META:
            twice = normalise("+" + once, field=field, recipe=recipe)
        else:
            twice = normalise(once, field=field, recipe=recipe, country=country)

        assert twice.to_list() == once.to_list()


@pytest.mark.parametrize("field", Field)
@FEW
@given(rows=ROWS)
def test_a_value_is_digested_alone_as_among_others(field, rows):
    values, country = columns(rows)

    together = digests(values, field=field, country=country)

    alone = [
        digests(values.slice(row, 1), field=field, country=country.slice(row, 1)).row(0)
        for row in range(len(rows))
    ]
    assert together.rows() == alone
    assert values.to_list() == [value for value, _ in rows], "the caller's column has changed"


@pytest.mark.parametrize("field", Field)
@FEW
@given(rows=ROWS)
def test_a_value_has_a_digest_or_a_reason_and_null_has_neither(field, rows):
    values, country = columns(rows)

    made = digests(values, field=field, country=country)
    refused = refusals(values, field=field, country=country)

    some = made.select(pl.any_horizontal(pl.all().is_not_null())).to_series().to_list()
    for (value, _), has_digest, reason in zip(rows, some, refused, strict=True):
        assert (value is None) == (not has_digest and reason is None)
        assert not (has_digest and reason)


@FEW
@given(text=st.text(min_size=1, max_size=20))
def test_a_digest_is_recognised_in_every_spelling(text):
    raw = hashlib.sha256(text.encode()).hexdigest()
    encoded = base64_from_hex(pl.Series([raw])).item()
    spellings = pl.Series(
        [raw, raw.upper(), f" {raw}\n", encoded, encoded.translate({43: "-", 47: "_"})]
    )

    assert arrived_digests(spellings).to_list() == [raw] * 5


@FEW
@given(email=EMAILS)
def test_a_hashed_value_is_looked_up_under_every_recipe(email):
    raw = digests(pl.Series([email]), field=Field.EMAIL)
    for recipe in Recipe:
        arrived = digests(raw[recipe], field=Field.EMAIL)

        if raw[recipe].item() is not None:
            assert set(arrived.row(0)) == {raw[recipe].item()}


@FEW
@given(email=EMAILS, before=st.sampled_from(["", " ", "\t "]), after=st.sampled_from(["", "  "]))
def test_case_and_space_make_no_other_digest(email, before, after):
    spellings = pl.Series([email, f"{before}{email.upper()}{after}", f"{email.lower()}{after}"])

    made = digests(spellings, field=Field.EMAIL)

    assert made.n_unique() == 1


@FEW
@given(texts=st.lists(st.none() | st.text(max_size=300), max_size=20))
def test_digests_are_those_of_hashlib(texts):
    made = sha256_hex(pl.Series(texts, dtype=pl.String))

    assert made.to_list() == [
        None if text is None else hashlib.sha256(text.encode()).hexdigest() for text in texts
    ]


def test_recipes_of_one_address_differ_where_the_platforms_do():
    made = digests(
        pl.Series(["Jane.Doe+x@gmail.com", "Jane.Doe@googlemail.com", "jane@web.de"]),
        field=Field.EMAIL,
    )

    assert [len(set(row)) for row in made.rows()] == [2, 2, 1]
    assert made["google"][0] == made["uid2"][0] != made["meta"][0]
    assert made["google"][1] != made["uid2"][1] == made["meta"][1]


@pytest.mark.parametrize("field", [field for field in Field if field not in ("email", "phone")])
def test_uid2_takes_email_and_phone_alone(field):
    values = pl.Series(["DE", "Berlin 10115"])

    assert normalise(values, field=field, recipe=Recipe.UID2).to_list() == [None, None]


def test_columns_may_be_empty_or_of_nulls_without_a_type():
    for values in (pl.Series([], dtype=pl.String), pl.Series([None, None])):
        for field in Field:
            made = digests(values, field=field)

            assert made.columns == list(Recipe)
            assert made.null_count().row(0) == (len(values),) * 4


def test_an_external_id_keeps_its_case_and_loses_its_space():
    values = pl.Series([" Ab-1 ", "d41d8cd98f00b204e9800998ecf8427e"])

    for recipe in (Recipe.META, Recipe.GOOGLE, Recipe.TIKTOK):
        forms = normalise(values, field=Field.EXTERNAL_ID, recipe=recipe)
        assert forms.to_list() == ["Ab-1", "d41d8cd98f00b204e9800998ecf8427e"]
