"""The examples of the platforms' own pages, as they stand there."""

import polars as pl
import pytest

from warehouse.recipes import (
    Field,
    Recipe,
    base64_from_hex,
    hex_from_base64,
    normalise,
    sha256_hex,
)

EMAIL, PHONE = Field.EMAIL, Field.PHONE
META, GOOGLE, UID2 = Recipe.META, Recipe.GOOGLE, Recipe.UID2

# Meta, Conversions API, "Customer Information Parameters", Formatting the user_data Parameters.
META_PAGE = [
    (EMAIL, "John_Smith@gmail.com", None, "john_smith@gmail.com",
     "62a14e44f765419d10fea99367361a727c12365e2520f32218d505ed9aa0f62f"),
    (PHONE, "(650)555-1212", "US", "16505551212",
     "e323ec626319ca94ee8bff2e4c87cf613be6ea19919ed1364124e16807ab3176"),
    (Field.FIRST_NAME, "Mary", None, "mary",
     "6915771be1c5aa0c886870b6951b03d7eafc121fea0e80a5ea83beb7c449f4ec"),
    (Field.FIRST_NAME, "정", None, "정",
     "8fa8cd9c440be61d0151429310034083132b35975c4bea67fdd74158eb51db14"),
    (Field.FIRST_NAME, "Valéry", None, "valéry",
     "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c"),
    (Field.COUNTRY, "United States", None, "us",
     "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
]  # fmt: skip
# The same page gives these forms without an input.
META_FORMS = [
    (Field.CITY, "Paris", None, "paris"),
    (Field.CITY, "London", None, "london"),
    (Field.CITY, "New York", None, "newyork"),
    (Field.POSTCODE, "94035-1234", "US", "94035"),
    (Field.POSTCODE, "1987", "AU", "1987"),
    (Field.POSTCODE, "75018", "FR", "75018"),
    (Field.POSTCODE, "M1 1AE", "GB", "m11ae"),
]

# UID2, "Normalization and Encoding": Email Address Hash Encoding, Normalization Examples for Email,
# Phone Number Normalization, Phone Number Hash Encoding.
UID2_PAGE = [
    (EMAIL, "user@example.com", None, "user@example.com",
     "b4c9a289323b21a01c3e940f150eb9b8c542587f1abfd8f0e1cc1ffc5e475514",
     "tMmiiTI7IaAcPpQPFQ65uMVCWH8av9jw4cwf/F5HVRQ="),
    (EMAIL, "MYEMAIL@example.com", None, "myemail@example.com",
     "16c18d336f0b250f0e2d907452ceb9658a74ecdae8bc94864c23122a72cc27a5",
     "FsGNM28LJQ8OLZB0Us65ZYp07NrovJSGTCMSKnLMJ6U="),
    (EMAIL, "My.Email@example.com", None, "my.email@example.com",
     "e22b53bc6f871274f3a62ab37a3caed7214fc14d676215a96a242fcfada1c81f",
     "4itTvG+HEnTzpiqzejyu1yFPwU1nYhWpaiQvz62hyB8="),
    (EMAIL, "JaneSaoirse@example.com", None, "janesaoirse@example.com",
     "d6670e7a92007f1b5ff785f1fc81e53aa6d3d7bd06bdf5c473cdc7286c284b6d",
     "1mcOepIAfxtf94Xx/IHlOqbT170GvfXEc83HKGwoS20="),
    (EMAIL, "Jane.Saoirse@example.com", None, "jane.saoirse@example.com",
     "b196432c7b989a2ca91c83799957c515da53e6c13abf20b78fea94f117e90bf8",
     "sZZDLHuYmiypHIN5mVfFFdpT5sE6vyC3j+qU8RfpC/g="),
    (EMAIL, "JaneSaoirse+Work@example.com", None, "janesaoirse+work@example.com",
     "28aaee4815230cd3b4ebd88c515226550666e91ac019929e3adac3f66c288180",
     "KKruSBUjDNO069iMUVImVQZm6RrAGZKeOtrD9mwogYA="),
    (EMAIL, "JANE.SAOIRSE@gmail.com", None, "janesaoirse@gmail.com",
     "92ee26057ed9dea2535d6c8b141d48373932476599196e00352254896db5888f",
     "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
    (EMAIL, "JaneSaoirse+Work@gmail.com", None, "janesaoirse@gmail.com",
     "92ee26057ed9dea2535d6c8b141d48373932476599196e00352254896db5888f",
     "ku4mBX7Z3qJTXWyLFB1INzkyR2WZGW4ANSJUiW21iI8="),
    (PHONE, "1 (234) 567-8901", "US", "+12345678901",
     "10e6f0b47054a83359477dcb35231db6de5c69fb1816e1a6b98e192de9e5b9ee",
     "EObwtHBUqDNZR33LNSMdtt5cafsYFuGmuY4ZLenlue4="),
]  # fmt: skip


def form(field, value, country, recipe):
    countries = pl.Series([country], dtype=pl.String)
    return normalise(pl.Series([value]), field=field, recipe=recipe, country=countries)


@pytest.mark.parametrize(("field", "value", "country", "text", "digest"), META_PAGE)
def test_meta_s_examples_have_its_form_and_digest(field, value, country, text, digest):
    written = form(field, value, country, META)

    assert written.item() == text
    assert sha256_hex(written).item() == digest


@pytest.mark.parametrize(("field", "value", "country", "text"), META_FORMS)
def test_meta_s_places_have_its_form(field, value, country, text):
    assert form(field, value, country, META).item() == text


@pytest.mark.parametrize(("field", "value", "country", "text", "digest", "encoded"), UID2_PAGE)
def test_uid2_s_examples_have_its_form_and_digest(field, value, country, text, digest, encoded):
    written = form(field, value, country, UID2)

    assert written.item() == text
    assert sha256_hex(written).item() == digest
    assert base64_from_hex(sha256_hex(written)).item() == encoded
    assert hex_from_base64(pl.Series([encoded])).item() == digest


def test_uid2_s_number_of_sydney_has_its_form():
    assert form(PHONE, "(02) 1234 5678", "AU", UID2).item() == "+61212345678"


def test_uid2_s_number_of_singapore_is_made_up_and_misprinted():
    # The page turns "65 1243 5678" into +6512345678: its digits are transposed, and no number of
    # Singapore begins with 1243. Without a plus, a made-up number keeps what may be its code.
    assert form(PHONE, "+65 1243 5678", None, UID2).item() == "+6512435678"
    assert form(PHONE, "65 1243 5678", "SG", UID2).item() == "+656512435678"
    assert form(PHONE, "65 9123 4567", "SG", UID2).item() == "+6591234567"


def test_google_s_number_has_its_form():
    # Data Manager API, "Format user data", phone_number.
    assert form(PHONE, "(800)555-0100", "US", GOOGLE).item() == "+18005550100"


@pytest.mark.parametrize("domain", ["gmail.com", "googlemail.com"])
def test_google_removes_dots_of_its_own_addresses(domain):
    # The same page, email_address.
    assert form(EMAIL, f" Jane.Doe@{domain}", None, GOOGLE).item() == f"janedoe@{domain}"
