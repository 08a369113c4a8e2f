"""Configurations under which a world meets every rule, and the days that it lives."""

from datetime import date, timedelta
from pathlib import Path
from typing import Final

from warehouse.attribution_config import (
    LEARNED_MODELS,
    AdvertiserRules,
    AttributionConfig,
    InstallRules,
    MatchMethod,
    Model,
    TouchKind,
    TrafficRules,
    Windows,
)
from warehouse.config import (
    Config,
    IdentitiesConfig,
    IdentityRule,
    MatchingConfig,
    Method,
    ModelConfig,
)
from warehouse.keys import IdentifierKey

KEY: Final = IdentifierKey((b"a key for tests only",))
DAYS: Final = [date(2026, 3, 1) + timedelta(days=n) for n in range(5)]
WORLDS: Final = 60
RULE_MODELS: Final = tuple(
    model for model in Model if model not in (Model.CALIBRATED_LAST_TOUCH, *LEARNED_MODELS)
)
HALF_A_DAY: Final = 12 * 3600
TRAFFIC: Final = TrafficRules(
    data_centres=Path(__file__).with_name("data_centres.txt"),
    clicks_per_hour=1,
    creator_clicks=2,
    creator_click_rate=0.5,
)
# candidates are inserted by the tests themselves
_NO_MODEL: Final = ModelConfig(enabled=False)


def _advertisers() -> dict[str, AdvertiserRules]:
    """Return other rules for some advertisers of the worlds, which have two each."""
    rules = {}
    for number in range(200):
        world = f"w{number:03d}"
        if number % 4 == 1:
            rules[f"{world}a0"] = AdvertiserRules(
                click_window_hours=60, excluded_surfaces=("live",), least_view_seconds=HALF_A_DAY
            )
            rules[f"{world}a1"] = AdvertiserRules(excluded_campaigns=(f"{world}p1",))
        elif number % 4 == 2:
            rules[f"{world}a0"] = AdvertiserRules(
                surfaces=("feed", "live"), excluded_surfaces=("live",), view_window_hours=48
            )
            rules[f"{world}a1"] = AdvertiserRules(
                campaigns=(f"{world}p0",), least_click_seconds=HALF_A_DAY
            )
    return rules


# windows of about the length of a world, so that their edges are met
ATTRIBUTION: Final = AttributionConfig(
    models=RULE_MODELS,
    click_window_hours=72,
    engaged_view_window_hours=48,
    view_window_hours=36,
    methods={
        MatchMethod.MODEL: Windows(
            click_window_hours=48, view_window_hours=60, least_click_seconds=HALF_A_DAY
        ),
        MatchMethod.COOKIE_ID: Windows(engaged_view_window_hours=36),
    },
    events={
        "lead": Windows(view_window_hours=60, least_view_seconds=HALF_A_DAY),
        "install": Windows(least_click_seconds=HALF_A_DAY, click_window_hours=96),
    },
    advertisers=_advertisers(),
    kinds=((TouchKind.CLICK,), (TouchKind.IMPRESSION, TouchKind.ENGAGED_VIEW)),
    named_click_first=True,
    installs=InstallRules(reattribution_days=2, inactivity_days=1),
    traffic=TRAFFIC,
    half_life_hours=7,
    first_share=0.3,
    last_share=0.5,
    dedup_window_hours=24,
)
# limits so small that a world passes them and recovers
CONFIG: Final = Config(
    attribution=ATTRIBUTION,
    identities=IdentitiesConfig(
        click_id=IdentityRule(days=1, users=1, unique=True),
        email=IdentityRule(users=2, per_user=2),
        phone=IdentityRule(days=1, users=2, per_user=1),
        device_id=IdentityRule(days=1, users=2, per_user=2),
        cookie_id=IdentityRule(days=0, users=2),
        external_id=IdentityRule(users=1, per_user=2, unique=True),
    ),
    model=_NO_MODEL,
)
# identifiers learned from signals are trusted most; nothing stands between first and last touch
COOKIE_FIRST: Final = Config(
    attribution=ATTRIBUTION.model_copy(
        update={"first_share": 0.0, "last_share": 1.0, "preset": "adjust", "kinds": None}
    ),
    identities=IdentitiesConfig(
        click_id=IdentityRule(days=2, users=2, unique=True),
        email=IdentityRule(days=0, users=3, per_user=3),
        cookie_id=IdentityRule(days=2, users=3, per_user=2),
        external_id=IdentityRule(users=2, per_user=2, unique=True),
    ),
    matching=MatchingConfig(
        order=(Method.COOKIE_ID, Method.EXTERNAL_ID, Method.EMAIL, Method.CLICK_ID)
    ),
    model=_NO_MODEL,
)
# what adscribe does unless it is told otherwise
DEFAULT: Final = Config(attribution=AttributionConfig(models=RULE_MODELS), model=_NO_MODEL)
