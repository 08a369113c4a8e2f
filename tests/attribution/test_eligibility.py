"""Presets are pinned, what is told goes before them, and each window has its edges."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from pydantic import ValidationError

from attribution.eligibility import (
    Preset,
    Rules,
    exclusions,
    kind_strengths,
    load_preset,
    longest_window_us,
    path_rules,
    preset_names,
    resolve,
)
from warehouse.attribution_config import AttributionConfig, MatchMethod, TouchKind
from warehouse.config import Config
from warehouse.errors import ConfigError

HOUR = 3_600_000_000
SECOND = 1_000_000
COLUMNS = [
    "click_window_us", "engaged_view_window_us", "view_window_us", "least_click_us",
    "least_view_us", "longest_window_us",
]  # fmt: skip
WINDOWS = ["click_window_hours", "engaged_view_window_hours", "view_window_hours"]
LEAST = ["least_click_seconds", "least_view_seconds"]
CLICK_FIRST = [["click"], ["engaged_view"], ["impression"]]
DOCUMENT = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text("utf-8")


def rules(**told: Any) -> Rules:
    return resolve(AttributionConfig.model_validate(told))


def windows(
    given: Rules, advertiser: str = "shop", event: str = "purchase", method: str = "email"
) -> dict[str, int]:
    keys = {"advertiser_id": [advertiser], "event_name": [event], "method": [method]}
    return path_rules(given, pl.DataFrame(keys)).select(COLUMNS).row(0, named=True)


def test_presets_are_the_five() -> None:
    assert preset_names() == ["adjust", "appsflyer", "kochava", "meta", "platform"]


@pytest.mark.parametrize(
    ("name", "hours", "model_hours", "kinds", "named_click_first"),
    [
        ("platform", (168, 24, 24), (168, 24, 24), CLICK_FIRST, False),
        ("adjust", (168, 168, 24), (6, 6, 6), [["click", "engaged_view"], ["impression"]], False),
        ("appsflyer", (168, 24, 24), (24, 24, 24), CLICK_FIRST, False),
        ("kochava", (720, 24, 24), (168, 24, 24), CLICK_FIRST, True),
        ("meta", (168, 24, 24), (168, 24, 24), CLICK_FIRST, False),
    ],
)
def test_values_of_each_preset(
    name: str,
    hours: tuple[int, ...],
    model_hours: tuple[int, ...],
    kinds: list[list[str]],
    named_click_first: bool,
) -> None:
    given = rules(preset=name)

    for method in MatchMethod:
        expected = model_hours if method is MatchMethod.MODEL else hours
        found = windows(given, method=str(method))
        assert tuple(found[column] for column in COLUMNS[:3]) == tuple(h * HOUR for h in expected)
        assert (found["least_click_us"], found["least_view_us"]) == (0, 0)
        assert found["longest_window_us"] == max(expected) * HOUR
    assert [[str(kind) for kind in equals] for equals in given.kinds] == kinds
    assert given.named_click_first is named_click_first


@pytest.mark.parametrize("name", ["adjust", "appsflyer", "kochava", "meta", "platform"])
def test_a_preset_tells_everything_and_where_it_was_read(name: str) -> None:
    preset = load_preset(name)
    assert len(preset.note) > 80
    assert bool(preset.sources) == (name != "platform")
    assert sorted(kind for equals in preset.kinds for kind in equals) == sorted(TouchKind)


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r'^\[attribution\] preset: .*"ajust"; .*"adjust"\?$'):
        rules(preset="ajust")
    with pytest.raises(ConfigError, match=r"one of: adjust, appsflyer, kochava, meta, platform\."):
        rules(preset="../../secret")


@pytest.mark.parametrize(
    "change",
    [
        {"click_window": 1},
        {"methods": {"fingerprint": {"click_window_hours": 1}}},
        {"methods": {"model": {"click_window": 1}}},
        {"kinds": [["click"], ["view"]]},
        {"click_window_hours": "168"},
        {"click_window_hours": None},
        {"named_click_first": 1},
        {"sources": [{"title": "A page", "url": "https://example.com"}]},
        {"sources": [{"title": "A page", "url": "example.com", "read": "2026-11"}]},
    ],
)
def test_a_preset_with_an_unknown_key_or_value_is_refused(change: dict[str, object]) -> None:
    good = load_preset("adjust").model_dump()
    assert Preset.model_validate(good) == load_preset("adjust")
    with pytest.raises(ValidationError):
        Preset.model_validate({**good, **change})


@pytest.mark.parametrize("place", ["events", "advertisers", "methods"])
def test_an_unknown_key_of_the_configuration_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match="click_window"):
        AttributionConfig.model_validate({place: {"model": {"click_window": 1}}})
    with pytest.raises(ValidationError, match="fingerprint"):
        AttributionConfig.model_validate({"methods": {"fingerprint": {}}})


@pytest.mark.parametrize("key", WINDOWS + LEAST)
def test_advertiser_then_event_then_general_then_preset(key: str) -> None:
    column = key.replace("_hours", "_us").replace("_seconds", "_us")
    unit = HOUR if key in WINDOWS else SECOND
    given = rules(
        **{key: 40},
        events={"install": {key: 50}, "refund": {}},
        advertisers={"shoes": {key: 60}, "hats": {}},
    )

    assert windows(given, "shop", "purchase")[column] == 40 * unit
    assert windows(given, "hats", "refund")[column] == 40 * unit
    assert windows(given, "hats", "install")[column] == 50 * unit
    assert windows(given, "shoes", "purchase")[column] == 60 * unit
    assert windows(given, "shoes", "install")[column] == 60 * unit
    others = [other for other in WINDOWS + LEAST if other != key]
    for other in others:
        assert getattr(given, other) == getattr(load_preset("platform"), other)


@pytest.mark.parametrize("place", ["", "events", "advertisers"])
def test_zero_is_told(place: str) -> None:
    zero = dict.fromkeys(WINDOWS + LEAST, 0)
    general = dict.fromkeys(WINDOWS + LEAST, 40)
    given = rules(**zero) if not place else rules(**general, **{place: {"shop": zero}})
    assert windows(given, "shop", "shop") == dict.fromkeys(COLUMNS, 0)


@pytest.mark.parametrize(("told", "decided"), [(39, 39), (40, 40), (41, 40)])
@pytest.mark.parametrize("key", WINDOWS)
def test_a_method_shortens_a_window_and_never_lengthens_it(
    key: str, told: int, decided: int
) -> None:
    column = key.replace("_hours", "_us")
    given = rules(**dict.fromkeys(WINDOWS, 40), methods={"phone": {key: told}})

    assert windows(given, method="phone")[column] == decided * HOUR
    assert windows(given, method="email")[column] == 40 * HOUR
    for other in COLUMNS[:3]:
        if other != column:
            assert windows(given, method="phone")[other] == 40 * HOUR


@pytest.mark.parametrize(("told", "decided"), [(9, 10), (10, 10), (11, 11)])
@pytest.mark.parametrize("key", LEAST)
def test_a_method_raises_least_seconds_and_never_lowers_them(
    key: str, told: int, decided: int
) -> None:
    given = rules(**{key: 10}, methods={"phone": {key: told}})
    column = key.replace("_seconds", "_us")
    assert windows(given, method="phone")[column] == decided * SECOND
    assert windows(given, method="email")[column] == 10 * SECOND


def test_a_method_caps_what_advertisers_and_events_tell() -> None:
    given = rules(
        methods={"model": {"click_window_hours": 12}},
        events={"install": {"click_window_hours": 11}},
        advertisers={"shoes": {"click_window_hours": 13}},
    )
    assert windows(given, "shoes", "install", "model")["click_window_us"] == 12 * HOUR
    assert windows(given, "shoes", "install", "email")["click_window_us"] == 13 * HOUR
    assert windows(given, "shop", "install", "model")["click_window_us"] == 11 * HOUR


def test_a_told_method_replaces_the_keys_of_the_preset_that_it_names() -> None:
    given = rules(preset="adjust", methods={"model": {"click_window_hours": 12}})
    found = windows(given, method="model")
    assert found["click_window_us"] == 12 * HOUR
    assert found["engaged_view_window_us"] == found["view_window_us"] == 6 * HOUR


def test_longest_window_of_a_key_is_the_longest_after_the_caps() -> None:
    given = rules(view_window_hours=200, methods={"model": {"view_window_hours": 3}})
    assert windows(given, method="email")["longest_window_us"] == 200 * HOUR
    assert windows(given, method="model")["longest_window_us"] == 168 * HOUR


def test_path_rules_keep_the_order_and_number_of_their_keys() -> None:
    given = rules(events={"b": {"click_window_hours": 1}}, advertisers={"z": {}})
    keys = pl.DataFrame(
        {"advertiser_id": ["z", "a", "z", "m"], "event_name": list("bbac"), "method": ["email"] * 4}
    )

    found = path_rules(given, keys)

    assert found.select(keys.columns).equals(keys)
    assert found.columns == [*keys.columns, *COLUMNS]
    assert found.select(COLUMNS).dtypes == [pl.Int64] * 6
    nothing = path_rules(given, keys.clear())
    assert nothing.schema == found.schema
    assert nothing.is_empty()


@pytest.mark.parametrize("place", ["", "events", "advertisers"])
@pytest.mark.parametrize("key", WINDOWS)
def test_longest_window_is_over_all_advertisers_and_events(key: str, place: str) -> None:
    assert longest_window_us(rules()) == 168 * HOUR
    for hours, longest in ((167, 168), (168, 168), (169, 169)):
        told = {key: hours} if not place else {place: {"shoes": {key: hours}}}
        expected = hours if key == "click_window_hours" and not place else longest
        assert longest_window_us(rules(**told)) == expected * HOUR


@pytest.mark.parametrize(
    ("kinds", "strengths"),
    [
        (CLICK_FIRST, (1, 2, 3)),
        ([["impression"], ["engaged_view", "click"]], (2, 2, 1)),
        ([["engaged_view", "impression", "click"]], (1, 1, 1)),
    ],
)
def test_equals_share_a_strength(kinds: list[list[str]], strengths: tuple[int, ...]) -> None:
    for written in (kinds, [[], *kinds, []]):
        frame = kind_strengths(rules(kinds=written))
        assert frame.schema == {"kind": pl.String, "strength": pl.Int32}
        expected = dict(zip(("click", "engaged_view", "impression"), strengths, strict=True))
        assert dict(frame.iter_rows()) == expected


ALLOWED = """
SELECT
    touches.touch_id,
    CASE
        WHEN NOT coalesce(surfaces.earns, NOT limited.surfaces_listed, TRUE)
            THEN 'excluded_surface'
        WHEN NOT coalesce(campaigns.earns, NOT limited.campaigns_listed, TRUE)
            THEN 'excluded_campaign'
    END AS reason
FROM touches
LEFT JOIN limited_advertisers AS limited ON limited.advertiser_id = touches.advertiser_id
LEFT JOIN listed_values AS surfaces
    ON surfaces.advertiser_id = touches.advertiser_id
    AND surfaces.part = 'surface'
    AND surfaces.value = touches.surface
LEFT JOIN listed_values AS campaigns
    ON campaigns.advertiser_id = touches.advertiser_id
    AND campaigns.part = 'campaign'
    AND campaigns.value = touches.campaign_id
ORDER BY touches.touch_id
"""


def reasons(given: Rules, *touches: tuple[str, str | None, str]) -> list[str | None]:
    """Return what the statement above says of touches (advertiser, surface, campaign)."""
    frames = exclusions(given)
    schema = ["advertiser_id", "surface", "campaign_id"]
    types = dict.fromkeys(schema, pl.String)
    with duckdb.connect() as connection:
        named = pl.DataFrame(touches, types, orient="row").with_row_index("touch_id")
        connection.register("touches", named)
        connection.register("limited_advertisers", frames.limited_advertisers)
        connection.register("listed_values", frames.listed_values)
        return [reason for _, reason in connection.execute(ALLOWED).fetchall()]


def test_without_lists_every_surface_and_campaign_may_earn() -> None:
    given = rules(advertisers={"shoes": {"click_window_hours": 1}})
    frames = exclusions(given)
    assert frames.limited_advertisers.is_empty()
    assert frames.listed_values.is_empty()
    assert reasons(given, ("shoes", None, "a"), ("shoes", "feed", "b")) == [None, None]


def test_only_listed_surfaces_may_earn_and_no_surface_is_none_of_them() -> None:
    given = rules(advertisers={"shoes": {"surfaces": ["feed"]}})
    touches = [("shoes", "feed", "a"), ("shoes", "live", "a"), ("shoes", None, "a")]
    assert reasons(given, *touches) == [None, "excluded_surface", "excluded_surface"]
    assert reasons(given, ("hats", "live", "a"), ("hats", None, "a")) == [None, None]


def test_excluded_surfaces_may_not_earn_and_no_surface_is_none_of_them() -> None:
    given = rules(advertisers={"shoes": {"excluded_surfaces": ["feed"]}})
    touches = [("shoes", "feed", "a"), ("shoes", "live", "a"), ("shoes", None, "a")]
    assert reasons(given, *touches) == ["excluded_surface", None, None]


def test_campaigns_in_and_out() -> None:
    only = rules(advertisers={"shoes": {"campaigns": ["a"]}})
    out = rules(advertisers={"shoes": {"excluded_campaigns": ["a"]}})
    touches = [("shoes", None, "a"), ("shoes", None, "b"), ("hats", None, "b")]
    assert reasons(only, *touches) == [None, "excluded_campaign", None]
    assert reasons(out, *touches) == ["excluded_campaign", None, None]


def test_what_is_named_in_and_out_is_out_and_an_empty_list_lets_none_earn() -> None:
    both = rules(advertisers={"shoes": {"surfaces": ["feed"], "excluded_surfaces": ["feed"]}})
    none = rules(advertisers={"shoes": {"surfaces": []}})
    assert reasons(both, ("shoes", "feed", "a")) == ["excluded_surface"]
    assert reasons(none, ("shoes", "feed", "a"), ("shoes", None, "a")) == ["excluded_surface"] * 2


def test_a_surface_and_a_campaign_of_one_name_are_two_things() -> None:
    given = rules(advertisers={"shoes": {"excluded_surfaces": ["live"], "campaigns": ["live"]}})
    touches = [("shoes", "live", "live"), ("shoes", "feed", "live"), ("shoes", "live", "feed")]
    assert reasons(given, *touches) == ["excluded_surface", None, "excluded_surface"]
    assert reasons(given, ("shoes", "feed", "feed")) == ["excluded_campaign"]


def test_each_touch_meets_one_row_of_each_frame() -> None:
    lists = {"surfaces": ["feed", "feed"], "excluded_surfaces": ["feed", "live", "live"]}
    frames = exclusions(rules(advertisers={"shoes": lists, "hats": {"campaigns": ["a"]}}))
    assert frames.limited_advertisers.rows() == [("hats", False, True), ("shoes", True, False)]
    assert frames.listed_values.rows() == [
        ("hats", "campaign", "a", True),
        ("shoes", "surface", "feed", False),
        ("shoes", "surface", "live", False),
    ]


def test_rules_tell_every_value() -> None:
    for name in preset_names():
        given = rules(preset=name)
        told = given.model_dump(exclude={"traffic": {"data_centres"}})
        assert all(value is not None for value in told.values())
        assert all(isinstance(getattr(given, key), int) for key in WINDOWS + LEAST)


def test_settings_are_canonical() -> None:
    given = rules(advertisers={"schöne": {"excluded_surfaces": ["shop", "feed", "shop"]}})
    text = given.settings()

    assert json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ) == text  # fmt: skip
    assert "schöne" in text
    assert json.loads(text)["methods"] == {}
    assert json.loads(text)["advertisers"]["schöne"]["excluded_surfaces"] == ["feed", "shop"]
    assert re.fullmatch("[0-9a-f]{16}", given.version)


@pytest.mark.parametrize(
    "written",
    [
        {"preset": "meta"},
        {"click_window_hours": 168, "least_view_seconds": 0, "named_click_first": False},
        {"kinds": [[], ["click"], ["engaged_view"], ["impression"]]},
        {"methods": {"model": {}}, "events": {"install": {}}, "advertisers": {"shoes": {}}},
        {"installs": {"events": ["install", "install"]}},
        {"models": ["linear"], "late_days": 9},
        {"money": {"currency": "EUR", "rates": "rates.csv"}},
        {"traffic": {"data_centres": "somewhere/else.txt"}},
    ],
)
def test_the_same_rules_have_the_same_version_however_written(written: dict[str, object]) -> None:
    assert rules(**written).settings() == rules().settings()
    assert rules(**written).version == rules().version


@pytest.mark.parametrize(
    "changed",
    [
        {"preset": "adjust"},
        {"preset": "kochava"},
        {"click_window_hours": 167},
        {"least_click_seconds": 1},
        {"kinds": [["engaged_view"], ["click"], ["impression"]]},
        {"named_click_first": True},
        {"methods": {"model": {"click_window_hours": 1}}},
        {"events": {"install": {"click_window_hours": 1}}},
        {"advertisers": {"shoes": {"click_window_hours": 1}}},
        {"advertisers": {"shoes": {"surfaces": []}}},
        {"advertisers": {"shoes": {"excluded_campaigns": ["a"]}}},
        {"installs": {"inactivity_days": 31}},
        {"traffic": {"clicks_per_hour": 21}},
        {"half_life_hours": 24},
        {"first_share": 0.3},
        {"last_share": 0.3},
        {"dedup_window_hours": 47},
    ],
)
def test_other_rules_have_another_version(changed: dict[str, object]) -> None:
    assert rules(**changed).version != rules().version


def test_equals_are_the_same_in_any_order() -> None:
    one = rules(kinds=[["click", "engaged_view"], ["impression"]])
    other = rules(kinds=[["engaged_view", "click"], ["impression"]])
    assert one.version == other.version
    assert one.version != rules().version


def test_the_documented_table_of_presets_is_what_they_hold() -> None:
    for name in preset_names():
        preset = load_preset(name)
        caps = preset.methods.get(MatchMethod.MODEL)
        model = [getattr(caps, key, None) for key in WINDOWS]
        order = " > ".join(" = ".join(equals) for equals in preset.kinds)
        cells = [
            name,
            *(str(getattr(preset, key)) for key in WINDOWS),
            *("-" if hours is None else str(hours) for hours in model),
            order,
            "yes" if preset.named_click_first else "no",
        ]
        assert f"| {' | '.join(cells)} |" in DOCUMENT
        assert set(preset.methods) <= {MatchMethod.MODEL}
        for source in preset.sources:
            assert f"]({source.url})" in DOCUMENT


def test_the_documented_example_does_what_is_said_of_it() -> None:
    block, _learned = re.findall(r"^```toml\n(.*?)^```", DOCUMENT, re.M | re.S)
    given = resolve(Config.model_validate(tomllib.loads(block)).attribution)

    by_email = windows(given, "shoes", "install", "email")
    by_model = windows(given, "shoes", "install", "model")
    assert [by_email[key] for key in COLUMNS[:3]] == [336 * HOUR, 168 * HOUR, 6 * HOUR]
    assert [by_model[key] for key in COLUMNS[:3]] == [12 * HOUR, 6 * HOUR, 6 * HOUR]
    assert by_email["least_click_us"] == by_model["least_click_us"] == 10 * SECOND
    assert reasons(given, ("shoes", "feed", "autumn"), ("shoes", "search", "spring")) == [
        "excluded_campaign", "excluded_surface",
    ]  # fmt: skip
    assert reasons(given, ("shoes", None, "spring")) == [None]
