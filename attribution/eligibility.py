"""Which touches may earn a conversion, and which of them comes first: presets and configuration.

A preset is a file of attribution/presets; ``resolve`` fills it in with what ``[attribution]``
tells. The frames made here are joined by equality in sql/attribution, so that no statement knows a
rule of its own (docs/attribution.md).
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

import polars as pl
from pydantic import Field

from attribution.conversions import HOUR_US
from warehouse.attribution_config import (
    AdvertiserRules,
    AttributionConfig,
    Hours,
    InstallRules,
    MatchMethod,
    Seconds,
    TouchKind,
    TrafficRules,
    Windows,
)
from warehouse.config_sections import Section
from warehouse.errors import ConfigError, nearest

_SECOND_US: Final = 1_000_000
_LONGEST: Final = ("click_window_hours", "engaged_view_window_hours", "view_window_hours")
_LEAST: Final = ("least_click_seconds", "least_view_seconds")
_AS_TOLD: Final = (
    "traffic", "half_life_hours", "first_share", "last_share", "dedup_window_hours",
)  # fmt: skip
_LIMITED: Final = {
    "advertiser_id": pl.String, "surfaces_listed": pl.Boolean, "campaigns_listed": pl.Boolean,
}  # fmt: skip
_LISTED: Final = {
    "advertiser_id": pl.String, "part": pl.String, "value": pl.String, "earns": pl.Boolean,
}  # fmt: skip
_PRESETS: Final = files("attribution").joinpath("presets")

_Kinds = tuple[tuple[TouchKind, ...], ...]


class _Order(Section):
    """Windows and order, every value told: what a preset and the rules in force have in common."""

    click_window_hours: Hours
    engaged_view_window_hours: Hours
    view_window_hours: Hours
    least_click_seconds: Seconds
    least_view_seconds: Seconds
    methods: dict[MatchMethod, Windows] = Field(default_factory=dict)
    kinds: _Kinds
    named_click_first: Annotated[bool, Field(strict=True)]


class Source(Section):
    """A page that a preset's values were read on, and the month of reading (2026-11)."""

    title: str
    url: Annotated[str, Field(pattern=r"^https://")]
    read: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]


class Preset(_Order):
    """Windows and order as a platform documents them; a file of attribution/presets.

    Attributes
    ----------
    note : str
        What the platform documents, and what of it could not be confirmed.
    sources : tuple of Source
        Where that was read.
    """

    note: str
    sources: tuple[Source, ...]


class Rules(_Order):
    """What decides credit: a preset filled in with what the configuration tells, all of it told.

    Attributes
    ----------
    events, advertisers : dict
        What single events and advertisers have otherwise; those that tell nothing are left out.
    installs, traffic, half_life_hours, first_share, last_share, dedup_window_hours
        As in :class:`~warehouse.attribution_config.AttributionConfig`.
    """

    events: dict[str, Windows]
    advertisers: dict[str, AdvertiserRules]
    installs: InstallRules
    traffic: TrafficRules
    half_life_hours: int
    first_share: float
    last_share: float
    dedup_window_hours: int

    def settings(self) -> str:
        """Return the rules as JSON, the same text for the same rules however they were written.

        The list of data centres is left out: it holds when logs are ingested.
        """
        left_out = {"traffic": {"data_centres"}}
        told = self.model_dump(mode="json", exclude_none=True, exclude=left_out)
        return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def version(self) -> str:
        """The first 16 hexadecimal digits of the settings' SHA-256."""
        return hashlib.sha256(self.settings().encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Exclusions:
    """Which surfaces and campaigns may earn, as two frames to join by equality.

    Attributes
    ----------
    limited_advertisers : DataFrame
        One advertiser with rules of this kind: advertiser_id, surfaces_listed and
        campaigns_listed (Boolean: only those listed may earn).
    listed_values : DataFrame
        One surface or campaign that is named: advertiser_id, part (surface, campaign), value,
        earns (Boolean). What is named as both in and out is out.
    """

    limited_advertisers: pl.DataFrame
    listed_values: pl.DataFrame


def preset_names() -> list[str]:
    """Return the names of the presets."""
    found = (path.name for path in _PRESETS.iterdir())
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


@cache
def load_preset(name: str) -> Preset:
    """Read one preset.

    Parameters
    ----------
    name : str
        One of :func:`preset_names`.

    Raises
    ------
    ConfigError
        If there is no such preset.
    """
    if name not in preset_names():
        known = nearest(name, preset_names())
        raise ConfigError(f'[attribution] preset: no preset "{name[:60]}"; {known}')
    text = _PRESETS.joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return Preset.model_validate(tomllib.loads(text))


def resolve(config: AttributionConfig) -> Rules:
    """Return the rules in force: what the configuration tells, and the preset's for the rest.

    Parameters
    ----------
    config : AttributionConfig
        The section ``[attribution]``. A method's windows replace the preset's key by key.

    Raises
    ------
    ConfigError
        If there is no such preset.
    """
    preset = load_preset(config.preset)
    order: dict[str, object] = {
        key: getattr(preset if getattr(config, key) is None else config, key)
        for key in (*_LONGEST, *_LEAST, "kinds", "named_click_first")
    }
    order["kinds"] = _in_order(config.kinds or preset.kinds)
    methods = {
        method: _told(preset.methods.get(method)) | _told(config.methods.get(method))
        for method in MatchMethod
    }
    installs = config.installs
    return Rules.model_validate(
        {
            **order,
            **{key: getattr(config, key) for key in _AS_TOLD},
            "methods": {method: windows for method, windows in methods.items() if windows},
            "events": {name: told for name, told in config.events.items() if _told(told)},
            "advertisers": {
                name: _once(told)
                for name, told in config.advertisers.items()
                if told != AdvertiserRules()
            },
            "installs": installs.model_copy(update={"events": _sorted(installs.events)}),
        }
    )


def path_rules(rules: Rules, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the windows of each advertiser, event and method.

    The advertiser's own value holds, else the event's, else the general one; a method's window
    shortens it and a method's least seconds lengthen it, never the other way.

    Parameters
    ----------
    rules : Rules
        The rules in force.
    keys : DataFrame
        Distinct advertiser_id, event_name and method.

    Returns
    -------
    DataFrame
        The keys in their order with click_window_us, engaged_view_window_us, view_window_us,
        least_click_us, least_view_us and longest_window_us (the longest of the three), Int64.
    """
    joined = keys.select("advertiser_id", "event_name", "method")
    for key, told in (
        ("advertiser_id", rules.advertisers),
        ("event_name", rules.events),
        ("method", {str(method): windows for method, windows in rules.methods.items()}),
    ):
        joined = joined.join(_windows_of(key, told), on=key, how="left", maintain_order="left")
    base = {
        name: pl.coalesce(f"advertiser_id.{name}", f"event_name.{name}", getattr(rules, name))
        for name in (*_LONGEST, *_LEAST)
    }
    longest = {
        name.replace("_hours", "_us"): pl.min_horizontal(base[name], f"method.{name}") * HOUR_US
        for name in _LONGEST
    }
    least = {
        name.replace("_seconds", "_us"): pl.max_horizontal(base[name], f"method.{name}")
        * _SECOND_US
        for name in _LEAST
    }
    resolved = joined.select("advertiser_id", "event_name", "method", **longest, **least)
    return resolved.with_columns(longest_window_us=pl.max_horizontal(*longest))


def longest_window_us(rules: Rules) -> int:
    """Return the longest time before any conversion at which a touch may still earn it."""
    everywhere = [rules, *rules.events.values(), *rules.advertisers.values()]
    told = (_told(windows) for windows in everywhere)
    return max(windows.get(name, 0) for windows in told for name in _LONGEST) * HOUR_US


def kind_strengths(rules: Rules) -> pl.DataFrame:
    """Return kind and strength (Int32) of each kind of touch: 1 is the strongest, equals share."""
    rows = [(str(kind), place) for place, equals in enumerate(rules.kinds, 1) for kind in equals]
    return pl.DataFrame(rows, {"kind": pl.String, "strength": pl.Int32}, orient="row")


def exclusions(rules: Rules) -> Exclusions:
    """Return which surfaces and campaigns may earn the conversions of which advertisers.

    A touch without a surface is on none: it earns unless only listed surfaces may.
    """
    limited, listed = [], []
    for name, told in sorted(rules.advertisers.items()):
        parts = (
            ("surface", told.surfaces, told.excluded_surfaces),
            ("campaign", told.campaigns, told.excluded_campaigns),
        )
        for part, only, out in parts:
            named = sorted({*(only or ()), *out})
            listed += [(name, part, value, value not in out) for value in named]
        if any(only is not None or out for _, only, out in parts):
            limited.append((name, *(only is not None for _, only, _ in parts)))
    return Exclusions(
        pl.DataFrame(limited, _LIMITED, orient="row"), pl.DataFrame(listed, _LISTED, orient="row")
    )


def _told(windows: Section | None) -> dict[str, int]:
    """Return the windows that are told, by key."""
    keys = {*_LONGEST, *_LEAST}
    return {} if windows is None else windows.model_dump(include=keys, exclude_none=True)


def _in_order(kinds: _Kinds) -> _Kinds:
    """Return the kinds without empty places, equals in the order of the enumeration."""
    return tuple(tuple(sorted(equals, key=list(TouchKind).index)) for equals in kinds if equals)


def _once(told: AdvertiserRules) -> AdvertiserRules:
    """Return the rules with each surface and campaign once, by name."""
    lists = told.model_dump(exclude={*_LONGEST, *_LEAST})
    return told.model_copy(update={key: names and _sorted(names) for key, names in lists.items()})


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _windows_of(key: str, told: Mapping[str, Section]) -> pl.DataFrame:
    """Return what each name tells, a column for each window, null where it tells nothing."""
    names = (*_LONGEST, *_LEAST)
    columns = {key: list(told)} | {
        f"{key}.{name}": [_told(windows).get(name) for windows in told.values()] for name in names
    }
    return pl.DataFrame(columns, {key: pl.String} | {f"{key}.{name}": pl.Int64 for name in names})
