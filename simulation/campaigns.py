"""Advertisers, their campaigns, and who is held out of each."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from simulation.arrays import Bools, Floats, Ints
from simulation.config import SURFACES, WorldConfig
from simulation.hashing import uniform


@dataclass(frozen=True)
class Campaigns:
    """Campaigns as columns; elsewhere a campaign, advertiser or surface is its position here."""

    names: tuple[str, ...]
    advertisers: tuple[str, ...]
    advertiser: Ints
    surface: Ints
    volume: Floats
    targeting: Floats
    effect: Floats
    click_rate: Floats
    view_rate: Floats
    per_impression: Floats  # cost in the advertiser's currency
    per_click: Floats
    catches_intent: Bools  # search, shop and retargeting: shown to people in a shopping episode
    flooded: Bools  # a creator of its first ad logs fake clicks

    @property
    def per_advertiser(self) -> int:
        """Number of campaigns of each advertiser."""
        return len(self.names) // len(self.advertisers)


def plan_campaigns(config: WorldConfig) -> Campaigns:
    """Return the campaigns of the configured advertisers, surfaces dealt out in turn."""
    slots = len(config.campaign_volumes)
    count = slots * len(config.currencies)
    index = np.arange(count)
    advertiser, slot, surface = index // slots, index % slots, index % len(SURFACES)
    volume = np.array(config.campaign_volumes)[slot]
    retargets = (slot == slots - 1) & (slots > 1)
    targeting = np.array([config.targeting[SURFACES[s]] for s in surface])
    rate = np.array([config.exchange[currency] for currency in config.currencies])[advertiser]
    search = surface == SURFACES.index("search")
    candidates = np.flatnonzero(~search)
    flooded = np.zeros(count, dtype=np.bool_)
    flooded[
        candidates[np.linspace(1, len(candidates) - 1, config.flooding_creators).astype(np.int64)]
    ] = True
    return Campaigns(
        names=tuple(f"cmp_{i + 1:02d}" for i in index),
        advertisers=tuple(f"adv_{i + 1:02d}" for i in range(len(config.currencies))),
        advertiser=advertiser,
        surface=surface,
        volume=volume / volume.sum(),
        targeting=np.where(retargets, config.retargeting, targeting),
        effect=np.array(config.campaign_effects),
        click_rate=np.array([config.click_rate[SURFACES[s]] for s in surface]),
        view_rate=np.array([config.engaged_view_rate[SURFACES[s]] for s in surface]),
        per_impression=np.array([config.cost_per_thousand[SURFACES[s]] for s in surface])
        * rate
        / 1000,
        per_click=np.array([config.cost_per_click[SURFACES[s]] for s in surface]) * rate,
        catches_intent=search | (surface == SURFACES.index("shop")) | retargets,
        flooded=flooded,
    )


def is_held_out(seed: int, user: Ints, campaign: Ints, config: WorldConfig) -> Bools:
    """Return which user-campaign pairs are control: a fixed hash, so a pair never changes its arm.

    The ad withheld is logged where its impression would have stood, as the ghost ads of Johnson,
    Lewis and Nubbemeyer (Journal of Marketing Research 2017).
    """
    held: Bools = uniform(seed, 61, campaign, user) < config.holdout_share
    return held


@cache
def decimals_of(currency: str) -> int:
    """Return the number of decimals of an amount in a currency (ISO 4217)."""
    return 0 if currency == "JPY" else 2
