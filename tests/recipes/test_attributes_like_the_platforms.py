"""Names and places against the platforms' own libraries."""

import random

import polars as pl
import pycountry
import pytest

from warehouse.recipes import Field, Recipe, normalise

FIRST = ["Mary", "Valéry", "정", "Anne Marie", "JOSÉ", "Жанна", "Zoë"]
CITIES = ["Paris", "New York", "São Paulo", "Saint-Denis", "St. Gallen", "東京", "Frankfurt (Oder)"]
CODES = [country.alpha_2 for country in pycountry.countries]

CLASSES = {
    ("first_name", "letters"): lambda r: r.choice(FIRST),
    ("first_name", "space around, any case"): lambda r: f" {r.choice(FIRST).swapcase()} ",
    ("last_name", "letters"): lambda r: r.choice(FIRST),
    ("last_name", "punctuation"): lambda r: r.choice(["O'Brien", "Smith-Jones", "St. John"]),
    ("city", "letters"): lambda r: r.choice(CITIES),
    ("city", "any case"): lambda r: r.choice(CITIES).swapcase(),
    ("city", "apostrophe"): lambda r: r.choice(["L'Aquila", "Val-d'Or", "'s-Hertogenbosch"]),
    ("city", "sign at the edge"): lambda r: r.choice(["Paris *", "- Lyon", "Rome ."]),
    ("city", "figures"): lambda r: f"Paris {r.randint(1, 20)}",
    ("postcode", "figures"): lambda r: f" {r.randint(10000, 99999)} ",
    ("postcode", "5-4"): lambda r: f"{r.randint(10000, 99999)}-{r.randint(1000, 9999)}",
    ("postcode", "letters"): lambda r: f"M{r.randint(1, 9)} {r.randint(1, 9)}AE",
    ("postcode", "dash abroad"): lambda r: f"{r.randint(100, 999)}-{r.randint(1000, 9999)}",
    ("country", "alpha-2"): lambda r: r.choice(CODES),
    ("country", "any case, space"): lambda r: f" {r.choice(CODES).lower()} ",
    ("country", "alpha-3"): lambda r: r.choice(["USA", "DEU", "GBR"]),
    ("country", "no country"): lambda r: r.choice(["XX", "ZZ", "QQ"]),
}
DELIBERATE = {
    ("last_name", "punctuation", "meta"): "the page says no punctuation; its library keeps it",
    (
        "city",
        "apostrophe",
        "meta",
    ): "the page says no punctuation; its library keeps the apostrophe",
    ("city", "sign at the edge", "meta"): "the page says no special characters; its library: *",
    ("city", "sign at the edge", "google"): "its library leaves the space that the sign stood by",
    ("postcode", "dash abroad", "meta"): "the page removes the dash; its library cuts there",
    ("country", "alpha-3", "meta"): "its library refuses; the page turns names into alpha-2",
    ("country", "alpha-3", "google"): "its library refuses; the page asks for alpha-2",
    ("country", "no country", "google"): "its library takes any two letters",
}


@pytest.mark.parametrize("recipe", ["meta", "google"])
@pytest.mark.parametrize(("field", "name"), CLASSES)
def test_an_attribute_has_the_form_of_the_platform_s_library(field, name, recipe, oracles):
    rng = random.Random(f"{field} {name}")  # noqa: S311 -- no secrets
    values = pl.Series([CLASSES[field, name](rng) for _ in range(100)])

    forms = normalise(values, field=Field(field), recipe=Recipe(recipe)).to_list()

    theirs = [oracles[recipe](field, value) for value in values]
    if (field, name, recipe) in DELIBERATE:
        assert forms != theirs, "no longer a difference: take it off the list"
    else:
        assert forms == theirs
