"""Conversions, each caused by one known touch or by none."""

from dataclasses import dataclass

import numpy as np

from simulation.arrays import Bools, Floats, Ints
from simulation.campaigns import Campaigns, decimals_of
from simulation.clock import DAY, HOUR, MINUTE, Clock
from simulation.config import WorldConfig
from simulation.exposure import CLICK, ENGAGED_VIEW, Episodes, Touches
from simulation.population import Population

EVENTS = ("purchase", "complete_registration", "subscribe", "install")
PURCHASE, REGISTRATION, SUBSCRIBE, INSTALL = 0, 1, 2, 3


@dataclass(frozen=True)
class Conversions:
    """What people did at advertisers, in one chunk."""

    person: Ints
    advertiser: Ints
    time: Ints
    cause: Ints  # row of the touch that caused it; -1: would have happened anyway
    campaign: Ints  # the causing campaign; -1: none

    def __len__(self) -> int:
        return len(self.person)


def draw_conversions(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    episodes: Episodes,
    touches: Touches,
    clock: Clock,
    config: WorldConfig,
) -> Conversions:
    """Return conversions from two independent sources, so that the cause is known by construction.

    Episodes convert whether or not ads were shown; each genuine treated touch adds conversions of
    its own at a rate that fades with time. The second kind is what a randomised holdout takes away:
    the incremental conversions.
    """
    ended = np.flatnonzero(rng.random(len(episodes.person)) < config.episode_conversion)
    wait = rng.exponential(config.episode_hours * HOUR, len(ended)).astype(np.int64)
    rate = _effect_rates(population, campaigns, touches, config)
    cause = np.repeat(np.arange(len(rate)), rng.poisson(rate))
    person = np.concatenate([episodes.person[ended], touches.user[cause]])
    baseline = np.full(len(ended), -1)
    time = np.concatenate(
        [
            episodes.time[ended] + wait,
            touches.time[cause] + _delays(rng, touches.kind[cause], config),
        ]
    )
    campaign = touches.campaign[cause]
    advertiser = np.concatenate([episodes.advertiser[ended], campaigns.advertiser[campaign]])
    columns = (
        person,
        advertiser,
        time,
        np.concatenate([baseline, cause]),
        np.concatenate([baseline, campaign]),
    )
    inside = np.flatnonzero(time < clock.end)
    return Conversions(*(column[inside] for column in columns))


def draw_events(rng: np.random.Generator, in_app: Bools, config: WorldConfig) -> Ints:
    """Return what kind of conversion each is; an install happens in an app only."""
    draw = rng.random(len(in_app))
    web = np.searchsorted(np.cumsum(config.web_events)[:-1], draw, side="right")
    app = np.searchsorted(np.cumsum(config.app_events)[:-1], draw, side="right")
    return np.where(in_app, app, web).astype(np.int64)


def draw_values(
    rng: np.random.Generator, advertiser: Ints, event: Ints, config: WorldConfig
) -> Floats:
    """Return each conversion's value in its advertiser's currency; only orders have one."""
    median = np.array(config.median_values)[advertiser] * np.where(
        event == SUBSCRIBE, config.subscription_value, 1.0
    )
    value = median * np.exp(config.value_sigma * rng.standard_normal(len(event)))
    value = round_amounts(value, advertiser, config)
    return np.where((event == REGISTRATION) | (event == INSTALL), np.nan, value)


def round_amounts(value: Floats, advertiser: Ints, config: WorldConfig) -> Floats:
    """Return amounts rounded to what their advertiser's currency has: cents, or whole yen."""
    decimals = np.array([decimals_of(currency) for currency in config.currencies])[advertiser]
    rounded: Floats = np.where(decimals == 0, np.round(value), np.round(value, 2))
    return rounded


def _effect_rates(
    population: Population, campaigns: Campaigns, touches: Touches, config: WorldConfig
) -> Floats:
    """Return the expected conversions that each touch causes."""
    intent = population.intent[touches.user, campaigns.advertiser[touches.campaign]]
    by_kind = np.array([config.impression_effect, config.engaged_view_effect, config.click_effect])
    slope = config.effect_intent
    rate = (
        by_kind[touches.kind]
        * campaigns.effect[touches.campaign]
        * np.exp(slope * intent - slope**2 / 2)
    )
    works = touches.genuine & ~touches.control
    return np.where(works, rate, 0.0)


def _delays(rng: np.random.Generator, kind: Ints, config: WorldConfig) -> Ints:
    """Return the time from touch to conversion: minutes in the same visit, else days."""
    rows = len(kind)
    mean = config.effect_half_life_days / np.log(2) * DAY
    fading = rng.exponential(mean, rows)
    share = np.select(
        [kind == CLICK, kind == ENGAGED_VIEW],
        [config.same_visit_share, config.same_visit_share_view],
        0.0,
    )
    visit = rng.random(rows) < share
    return (
        np.where(
            visit, rng.exponential(config.visit_minutes * MINUTE, rows) + MINUTE, fading
        ).astype(np.int64)
        + 1
    )
