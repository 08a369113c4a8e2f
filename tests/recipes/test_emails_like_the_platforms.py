"""E-mail addresses against the platforms' own libraries, over many ways to write one."""

import random
import string

import polars as pl
import pytest

from warehouse.recipes import Field, Recipe, digests, hex_from_base64, normalise

EACH = 250
ODD = "!#$%&'*/=?^_`{|}~-"
LETTERS = string.ascii_lowercase + string.digits


def user(rng):
    parts = ["".join(rng.choices(LETTERS, k=rng.randint(2, 9))) for _ in range(rng.randint(1, 3))]
    return rng.choice(string.ascii_lowercase) + ".".join(parts)


def domain(rng):
    return rng.choice(["example.com", "web.de", "yahoo.co.uk", "icloud.com", "shop.museum"])


def any_case(text, rng):
    return "".join(rng.choice((letter.lower(), letter.upper())) for letter in text)


def tag(rng):
    return "+" + "".join(rng.choices(LETTERS + ".-_", k=rng.randint(0, 8)))


CLASSES = {
    "plain": lambda r: f"{user(r)}@{domain(r)}",
    "any case": lambda r: any_case(f"{user(r)}@{domain(r)}", r),
    "spaces around": lambda r: " " * r.randint(0, 3) + f"{user(r)}@{domain(r)}" + " " * 2,
    "tag elsewhere": lambda r: f"{user(r)}{tag(r)}@{domain(r)}",
    "gmail": lambda r: f"{user(r)}@gmail.com",
    "gmail in any case": lambda r: any_case(f"{user(r)}@gmail.com", r),
    "gmail, tag": lambda r: f"{user(r)}{tag(r)}@gmail.com",
    "gmail, two tags": lambda r: f"{user(r)}{tag(r)}{tag(r)}@gmail.com",
    "gmail, tag only": lambda r: f"{tag(r)}@gmail.com",
    "gmail, dots only": lambda r: "." * r.randint(1, 4) + "@gmail.com",
    "gmail, outer dots": lambda r: f".{user(r)}..@gmail.com",
    "googlemail": lambda r: f"{user(r)}@googlemail.com",
    "googlemail, any case, tag": lambda r: any_case(f" {user(r)}{tag(r)}@googlemail.com ", r),
    "gmail as a subdomain": lambda r: f"{user(r)}{tag(r)}@mail.gmail.com",
    "gmail as an ending": lambda r: f"{user(r)}{tag(r)}@notgmail.com",
    "gmail of another country": lambda r: f"{user(r)}{tag(r)}@gmail.co.uk",
    "subdomain": lambda r: f"{user(r)}@mail.{domain(r)}",
    "odd signs": lambda r: "".join(r.choices(ODD, k=4)) + f"{user(r)}@{domain(r)}",
    "letters outside ASCII": lambda r: f"jürgen.{user(r)}@{domain(r)}",
    "other scripts": lambda r: f"{r.choice(('用户', 'उपयोगकर्ता', 'пользователь'))}@{domain(r)}",
    "international domain": lambda r: f"{user(r)}@{r.choice(('bücher', 'пример', '例子'))}.com",
    "punycode": lambda r: f"{user(r)}@XN--bcher-kva.example",
    "capitals outside ASCII": lambda r: f"{r.choice(('Ö', 'É', 'Ж', 'Σ'))}{user(r)}@BÜCHER.com",
    "empty user or domain": lambda r: r.choice((f"@{domain(r)}", f"{user(r)}@", "@", user(r))),
    "tab or newline around": lambda r: f"\t{user(r)}@{domain(r)}\n",
    "space inside": lambda r: f"{user(r)} {user(r)}@{domain(r)}",
    "domain without a dot": lambda r: f"{user(r)}@localhost",
    "two at signs": lambda r: f"{user(r)}@{user(r)}@{domain(r)}",
    "name around": lambda r: f"<{user(r)}@{domain(r)}>",
    "MD5": lambda r: "".join(r.choices("0123456789abcdef", k=32)),
}

# Every value of such a class may differ, and one at least does.
DELIBERATE = {
    ("tab or newline around", "uid2"): "its library trims U+0020 only; no address holds a tab",
    ("space inside", "meta"): "the platforms disagree (kept, removed, refused): refused for all",
    ("space inside", "uid2"): "the platforms disagree (kept, removed, refused): refused for all",
    ("domain without a dot", "google"): "no such host takes mail from outside; Meta refuses it too",
    ("domain without a dot", "uid2"): "no such host takes mail from outside; Meta refuses it too",
    ("two at signs", "meta"): "not one address; Google and UID2 refuse it too",
    ("name around", "meta"): "RFC 5322 keeps the signs for quotes; the address is inside them",
    ("name around", "google"): "RFC 5322 keeps the signs for quotes; the address is inside them",
    ("name around", "uid2"): "RFC 5322 keeps the signs for quotes; the address is inside them",
    ("MD5", "meta"): "its library passes an MD5 on; no recipe publishes one, so it is refused",
}


def written(name):
    rng = random.Random(name)  # noqa: S311 -- no secrets
    return pl.Series([CLASSES[name](rng) for _ in range(EACH)])


@pytest.mark.parametrize("recipe", ["meta", "google", "uid2"])
@pytest.mark.parametrize("name", CLASSES)
def test_an_email_address_has_the_form_of_the_platform_s_library(name, recipe, oracles):
    values = written(name)

    forms = normalise(values, field=Field.EMAIL, recipe=Recipe(recipe)).to_list()

    theirs = [oracles[recipe]("email", value) for value in values]
    if (name, recipe) in DELIBERATE:
        assert forms != theirs, "no longer a difference: take it off the list"
        assert all(ours in (None, other.strip()) for ours, other in zip(forms, theirs, strict=True))
    else:
        assert forms == theirs


def test_the_digests_of_an_email_address_are_those_that_the_libraries_send(
    meta_hashes, google_says, uid2_hashes
):
    from google.ads.datamanager_util import Encoding, Formatter

    values = pl.concat([written("googlemail, any case, tag"), written("gmail, two tags")])

    made = digests(values, field=Field.EMAIL)

    google = [Formatter().process_email_address(value, Encoding.HEX) for value in values]
    uid2 = pl.Series([uid2_hashes("email", value) for value in values])
    assert made["meta"].to_list() == [meta_hashes("email", value) for value in values]
    assert made["google"].to_list() == google
    assert made["uid2"].to_list() == hex_from_base64(uid2).to_list()


@pytest.mark.parametrize("name", CLASSES)
def test_tiktok_hashes_an_email_address_as_meta_does(name):
    values = written(name)

    made = digests(values, field=Field.EMAIL)

    assert made["tiktok"].to_list() == made["meta"].to_list()
