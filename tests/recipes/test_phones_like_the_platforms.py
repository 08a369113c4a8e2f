"""Phone numbers of many countries and styles against the platforms' own libraries."""

import random
import re

import phonenumbers
import polars as pl
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from warehouse.recipes import Field, Recipe, digests, hex_from_base64, normalise

EACH = 8
COUNTRIES = [
    "US", "GB", "DE", "FR", "IT", "ES", "BR", "JP", "IN", "AU", "MX", "SG", "NL", "PL", "AR",
]  # fmt: skip


def people():
    """Return numbers in assigned ranges, with their country."""
    rng = random.Random(5)  # noqa: S311 -- no secrets
    found = []
    for country in COUNTRIES:
        for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
            example = phonenumbers.example_number_for_type(country, kind)
            stem = phonenumbers.national_significant_number(example)[:-4]
            for _ in range(200):
                tail = "".join(rng.choices("0123456789", k=4))
                number = phonenumbers.parse(f"+{example.country_code}{stem}{tail}")
                if phonenumbers.is_valid_number_for_region(number, country):
                    found.append((country, number))
    return [person for country in COUNTRIES for person in _first(found, country)]


def _first(found, country):
    own = [person for person in found if person[0] == country]
    return own[:EACH] + own[-EACH:]


PEOPLE = people()


def e164(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def national(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)


def international(number):
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def split(number, style):
    code, digits = str(number.country_code), e164(number)[1 + len(str(number.country_code)) :]
    return style.format(code, digits[:2], digits[2:5], digits[5:])


INTERNATIONAL = {
    "E.164": e164,
    "spaces": international,
    "dashes": lambda number: international(number).replace(" ", "-"),
    "brackets": lambda number: split(number, "+{} ({}) {}-{}"),
    "dots": lambda number: split(number, "+{}.{}.{}.{}"),
    "leading 00": lambda number: split(number, "00{} {} {} {}"),
    "extension": lambda number: f"{international(number)} ext. 12",
    "trunk 0 in brackets": lambda number: split(number, "+{} (0){} {} {}"),
}
NATIONAL = {
    "national": national,
    "national, digits": lambda number: re.sub(r"\D", "", national(number)),
    "national, dots": lambda number: re.sub(r"\D+", ".", national(number).strip("()")),
    "national, spaces around": lambda number: f"  {national(number)} ",
    "code without plus": lambda number: e164(number)[1:],
}
DELIBERATE = {
    ("dots", "meta"): "its library refuses dots; the page says to remove symbols",
    ("leading 00", "google"): "its library keeps the zeros, which E.164 has not",
    ("extension", "meta"): "its library refuses letters; the page says to remove them",
    ("extension", "google"): "its library takes the extension into the number",
    ("trunk 0 in brackets", "meta"): "its library keeps the 0 of national calls",
    ("trunk 0 in brackets", "google"): "its library keeps the 0 of national calls",
    **{
        (name, "meta"): "its library knows no country: it keeps the number without calling code"
        for name in NATIONAL
        if name != "code without plus"
    },
    **{
        (name, "google"): "its library knows no country: it puts a plus before the national number"
        for name in NATIONAL
        if name != "code without plus"
    },
}
# There the 0 is not one of national calls, or belongs to the number.
WITHOUT_TRUNK_0 = {"US", "IT", "ES", "MX", "SG", "PL"}


def cases(name):
    style = (INTERNATIONAL | NATIONAL)[name]
    chosen = [
        person
        for person in PEOPLE
        if name != "trunk 0 in brackets" or person[0] not in WITHOUT_TRUNK_0
    ]
    return pl.DataFrame(
        [(style(number), country, e164(number)) for country, number in chosen],
        schema=["raw", "country", "number"],
        orient="row",
    )


@pytest.mark.parametrize("name", [*INTERNATIONAL, *NATIONAL])
def test_a_number_is_the_same_however_it_is_written(name):
    frame = cases(name)

    forms = {
        recipe: normalise(
            frame["raw"], field=Field.PHONE, recipe=recipe, country=frame["country"]
        ).to_list()
        for recipe in Recipe
    }

    assert forms[Recipe.GOOGLE] == frame["number"].to_list()
    assert forms[Recipe.TIKTOK] == frame["number"].to_list()
    assert forms[Recipe.UID2] == frame["number"].to_list()
    assert forms[Recipe.META] == frame["number"].str.strip_prefix("+").to_list()


@pytest.mark.parametrize("name", [name for name in INTERNATIONAL if name != "leading 00"])
def test_a_number_with_its_calling_code_needs_no_country(name):
    frame = cases(name)

    forms = normalise(frame["raw"], field=Field.PHONE, recipe=Recipe.GOOGLE)

    assert forms.to_list() == frame["number"].to_list()


@pytest.mark.parametrize("recipe", ["meta", "google"])
@pytest.mark.parametrize("name", [*INTERNATIONAL, *NATIONAL])
def test_a_number_has_the_form_of_the_platform_s_library(name, recipe, oracles):
    frame = cases(name)

    forms = normalise(
        frame["raw"], field=Field.PHONE, recipe=Recipe(recipe), country=frame["country"]
    ).to_list()

    theirs = [oracles[recipe]("phone", value) for value in frame["raw"]]
    if (name, recipe) in DELIBERATE:
        assert forms != theirs, "no longer a difference: take it off the list"
    else:
        assert forms == theirs


def test_the_digests_of_a_number_are_those_that_the_libraries_send(
    meta_hashes, google_says, uid2_hashes
):
    from google.ads.datamanager_util import Encoding, Formatter

    frame = cases("national")

    made = digests(frame["raw"], field=Field.PHONE, country=frame["country"])

    google = [Formatter().process_phone_number(value, Encoding.HEX) for value in frame["number"]]
    uid2 = pl.Series([uid2_hashes("phone", value) for value in frame["number"]])
    assert made["meta"].to_list() == [meta_hashes("phone", value) for value in frame["number"]]
    assert made["google"].to_list() == google
    assert made["uid2"].to_list() == hex_from_base64(uid2).to_list()


def test_uid2_takes_the_numbers_that_its_library_takes(uid2_says):
    numbers = pl.Series(["+298211234", "+376312345", "+47221234", "+6512435678", "+16505551212"])

    forms = normalise(numbers, field=Field.PHONE, recipe=Recipe.UID2)

    read = normalise(numbers, field=Field.PHONE, recipe=Recipe.GOOGLE)
    assert forms.to_list() == [number and uid2_says("phone", number) for number in read]


def test_clean_numbers_read_as_phonenumbers_reads_them():
    rng = random.Random(11)  # noqa: S311 -- no secrets
    codes = list(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
    written = [
        f"+{rng.choice(codes)}{''.join(rng.choices('0123456789', k=rng.randint(3, 13)))}"
        for _ in range(4000)
    ]

    forms = normalise(pl.Series(written), field=Field.PHONE, recipe=Recipe.GOOGLE)

    assert forms.to_list() == [_twin(value) for value in written]


def _twin(value):
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return None
    reason = phonenumbers.is_possible_number_with_reason(number)
    return e164(number) if reason == phonenumbers.ValidationResult.IS_POSSIBLE else None


def test_the_country_s_own_code_is_not_taken_for_a_prefix():
    # 0491 is the area code of Leer in Germany; 0055 chooses a carrier in Brazil.
    written = pl.Series(["4915115317000", "0055 92927623126", "391 234 5678", "55991234567"])
    country = pl.Series(["DE", "BR", "IT", "BR"])

    forms = normalise(written, field=Field.PHONE, recipe=Recipe.GOOGLE, country=country)

    assert forms.to_list() == [
        "+4915115317000",
        "+5592927623126",
        "+393912345678",
        "+5555991234567",
    ]
