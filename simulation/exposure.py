"""Shopping episodes and ad touchpoints: intent drives both, which is why naive credit is biased."""

from dataclasses import dataclass

import numpy as np

from simulation.arrays import Bools, Floats, Ints
from simulation.campaigns import Campaigns, is_held_out
from simulation.clock import DAY, HOUR, SECOND, Clock
from simulation.config import WorldConfig
from simulation.population import Population

IMPRESSION, ENGAGED_VIEW, CLICK = 0, 1, 2


@dataclass(frozen=True)
class Episodes:
    """Times when a person considers buying from an advertiser, whatever the ads do."""

    person: Ints
    advertiser: Ints
    time: Ints


@dataclass(frozen=True)
class Touches:
    """Touchpoint rows of one chunk; a control row is an ad withheld."""

    user: Ints  # row of the chunk's population
    campaign: Ints
    ad: Ints
    kind: Ints
    time: Ints
    control: Bools
    genuine: Bools  # false: a bot's touch or a flooded click, which cause nothing
    cost: Floats

    def take(self, rows: Ints) -> "Touches":
        """Return the touches at some rows."""
        return Touches(**{name: column[rows] for name, column in vars(self).items()})


@dataclass(frozen=True)
class _Opportunities:
    """Moments when a campaign reaches a user."""

    user: Ints
    campaign: Ints
    time: Ints
    lift: Floats  # how much more a click is likely


def draw_episodes(
    rng: np.random.Generator, population: Population, clock: Clock, config: WorldConfig
) -> Episodes:
    """Return the shopping episodes of everyone, outsiders included and bots excepted."""
    advertisers = population.intent.shape[1]
    slope = config.intent_slope
    rate = np.exp(slope * population.intent - slope**2 / 2)
    rate *= config.episodes_per_person_day * clock.days / advertisers
    rate[population.bot] = 0
    person, advertiser = _expand(rng.poisson(rate))
    return Episodes(person, advertiser, clock.draw_times(rng, population.city[person]))


def draw_touches(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    episodes: Episodes,
    clock: Clock,
    *,
    seed: int,
    config: WorldConfig,
) -> Touches:
    """Return impressions with what follows them, ads withheld, and flooded clicks.

    Parameters
    ----------
    rng : Generator
        The chunk's own stream.
    population, campaigns, episodes, clock
        Who, for whom, with which intent, when.
    seed : int
        The world's seed: it decides the holdouts.
    config : WorldConfig
        The rates.
    """
    standing = _draw_standing(rng, population, campaigns, clock, config)
    drawn = _draw_in_episodes(rng, population, campaigns, episodes, config)
    reach = _join(standing, drawn)
    inside = (reach.time >= 0) & (reach.time < clock.end)
    reach = _Opportunities(*(column[inside] for column in vars(reach).values()))
    number = population.number[reach.user]
    control = is_held_out(seed, number, reach.campaign, config)
    shown = _follow(rng, population, campaigns, reach, control, config)
    flood = _draw_flood(rng, population, campaigns, clock, seed=seed, config=config)
    columns = {
        name: np.concatenate([column, getattr(flood, name)]) for name, column in vars(shown).items()
    }
    touches = Touches(**columns)
    return touches.take(np.flatnonzero(touches.time < clock.end))


def _draw_standing(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    clock: Clock,
    config: WorldConfig,
) -> _Opportunities:
    users = population.users
    intent = population.intent[:users, campaigns.advertiser]
    reach = np.exp(campaigns.targeting * intent - campaigns.targeting**2 / 2) * campaigns.volume
    factor = np.where(population.bot[:users], config.bot_exposure_factor, 1.0)
    pace = population.engagement[:users] * factor * config.opportunities_per_user_day * clock.days
    user, campaign = _expand(rng.poisson(reach * pace[:, None]))
    time = clock.draw_times(rng, population.city[user])
    return _Opportunities(user, campaign, time, np.ones(len(user)))


def _draw_in_episodes(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    episodes: Episodes,
    config: WorldConfig,
) -> _Opportunities:
    """Return the ads that users meet because they are shopping: last touch's bias comes of it."""
    mine = np.flatnonzero(episodes.person < population.users)
    slots = campaigns.per_advertiser
    eligible = campaigns.catches_intent.reshape(-1, slots)[episodes.advertiser[mine]]
    mean = (
        eligible / np.maximum(eligible.sum(axis=1, keepdims=True), 1) * config.episode_opportunities
    )
    row, slot = _expand(rng.poisson(mean))
    which = mine[row]
    wait = rng.exponential(config.episode_hours / 2 * HOUR, len(which)).astype(np.int64)
    return _Opportunities(
        user=episodes.person[which],
        campaign=episodes.advertiser[which] * slots + slot,
        time=episodes.time[which] + wait,
        lift=np.full(len(which), config.episode_click_lift),
    )


def _follow(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    reach: _Opportunities,
    control: Bools,
    config: WorldConfig,
) -> Touches:
    """Return an impression for each opportunity, and what the user does with an ad shown."""
    user, campaign = reach.user, reach.campaign
    bot = population.bot[user]
    intent = population.intent[user, campaigns.advertiser[campaign]]
    view_rate = campaigns.view_rate[campaign] * np.exp(config.view_intent * intent)
    click_rate = campaigns.click_rate[campaign] * reach.lift * np.exp(config.click_intent * intent)
    click_rate = np.where(bot, config.bot_click_rate, np.minimum(click_rate, config.most_clicks))
    viewed = np.flatnonzero(~control & ~bot & (rng.random(len(user)) < view_rate))
    clicked = np.flatnonzero(~control & (rng.random(len(user)) < click_rate))
    source = np.concatenate([np.arange(len(user)), viewed, clicked])
    kind = np.repeat([IMPRESSION, ENGAGED_VIEW, CLICK], [len(user), len(viewed), len(clicked)])
    least = [config.view_seconds, config.click_seconds]
    pause = (np.select([kind == ENGAGED_VIEW, kind == CLICK], least, 0) * SECOND).astype(np.int64)
    wait = rng.exponential(config.follow_seconds * SECOND, len(kind))
    pause = pause + np.where(kind > 0, wait, 0).astype(np.int64)
    ad = rng.integers(0, config.ads_per_campaign, len(user))
    return Touches(
        user=user[source],
        campaign=campaign[source],
        ad=ad[source],
        kind=kind,
        time=reach.time[source] + pause,
        control=control[source],
        genuine=~bot[source],
        cost=_draw_costs(rng, campaigns, campaign[source], kind, control[source], config),
    )


def _draw_flood(
    rng: np.random.Generator,
    population: Population,
    campaigns: Campaigns,
    clock: Clock,
    *,
    seed: int,
    config: WorldConfig,
) -> Touches:
    """Return the clicks that flooding creators log on random users' ids."""
    flooded = np.flatnonzero(campaigns.flooded)
    rate = config.flood_clicks_per_user_day * clock.days * population.users if len(flooded) else 0.0
    rows = int(rng.poisson(rate))
    user = rng.integers(0, population.users, rows)
    campaign = flooded[rng.integers(0, max(len(flooded), 1), rows)]
    treated = ~is_held_out(seed, population.number[user], campaign, config)
    user, campaign = user[treated], campaign[treated]
    kind = np.full(len(user), CLICK)
    none = np.zeros(len(user), dtype=np.bool_)
    return Touches(
        user=user,
        campaign=campaign,
        ad=np.zeros(len(user), dtype=np.int64),
        kind=kind,
        time=rng.integers(0, clock.days * DAY, len(user)),
        control=none,
        genuine=none,
        cost=_draw_costs(rng, campaigns, campaign, kind, none, config),
    )


def _draw_costs(
    rng: np.random.Generator,
    campaigns: Campaigns,
    campaign: Ints,
    kind: Ints,
    control: Bools,
    config: WorldConfig,
) -> Floats:
    """Return what each row costs: prices of an auction vary around the campaign's."""
    paid = np.where(kind == IMPRESSION, campaigns.per_impression[campaign], 0.0)
    paid = np.where(kind == CLICK, campaigns.per_click[campaign], paid)
    sigma = config.price_sigma
    price = paid * np.exp(sigma * rng.standard_normal(len(campaign)) - sigma**2 / 2)
    cost: Floats = np.where(control, np.nan, np.round(price, 6))
    return cost


def _join(first: _Opportunities, second: _Opportunities) -> _Opportunities:
    pairs = zip(vars(first).values(), vars(second).values(), strict=True)
    return _Opportunities(*(np.concatenate(pair) for pair in pairs))


def _expand(counts: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> tuple[Ints, Ints]:
    """Return the row and column of every unit counted in a matrix."""
    cells = np.flatnonzero(counts)
    units = np.repeat(cells, counts.ravel()[cells])
    return units // counts.shape[1], units % counts.shape[1]
