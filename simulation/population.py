"""People, their households, workplaces and intents, one chunk of users at a time."""

from dataclasses import dataclass

import numpy as np

from simulation.arrays import Bools, Floats, Ints, Words
from simulation.config import WorldConfig
from simulation.hashing import mix
from simulation.places import load_atlas

CHUNK_USERS = 100_000


@dataclass(frozen=True)
class Span:
    """Which users, and how many outsiders around them, one chunk holds."""

    chunk: int
    first_user: int
    users: int
    first_outsider: int
    outsiders: int


@dataclass(frozen=True)
class Population:
    """One chunk's people as columns: first the platform's users, then the outsiders."""

    span: Span
    number: Ints  # a person's number in the whole world
    key: Words  # what the person's own draws are keyed by
    household: Ints
    head: Ints  # the first person of the same household
    home_rank: Ints  # the household's rank among the chunk's of its city
    city: Ints
    carrier: Ints
    office: Ints  # -1: works at no office
    bot: Bools
    engagement: Floats  # relative activity, 1 on average
    intent: Floats  # (persons, advertisers), standardised

    @property
    def users(self) -> int:
        """Number of platform users: the first rows."""
        return self.span.users

    @property
    def persons(self) -> int:
        """Number of people, outsiders included."""
        return len(self.number)


def plan_spans(users: int, config: WorldConfig) -> list[Span]:
    """Return the chunks that cover all users, with their share of the outsiders."""
    starts = np.append(np.arange(0, users, CHUNK_USERS), users)
    outer = np.rint(starts * config.outsiders_per_user).astype(np.int64)
    return [
        Span(
            chunk=chunk,
            first_user=int(starts[chunk]),
            users=int(starts[chunk + 1] - starts[chunk]),
            first_outsider=int(users + outer[chunk]),
            outsiders=int(outer[chunk + 1] - outer[chunk]),
        )
        for chunk in range(len(starts) - 1)
    ]


def draw_population(
    rng: np.random.Generator, span: Span, *, offices: Ints, config: WorldConfig, seed: int
) -> Population:
    """Return the people of one chunk.

    Parameters
    ----------
    rng : Generator
        The chunk's own stream.
    span : Span
        Whom the chunk holds.
    offices : ndarray of shape (cities,)
        Number of offices in each city of the whole world.
    config : WorldConfig
        The rates.
    seed : int
        The world's seed.
    """
    persons = span.users + span.outsiders
    household = _draw_households(rng, span, config)
    city_of_household = rng.choice(len(offices), household.max() + 1, p=load_atlas().weight).astype(
        np.int64
    )
    city = city_of_household[household]
    bot = np.zeros(persons, dtype=np.bool_)
    bot[: span.users] = rng.random(span.users) < config.bot_share
    sigma = config.engagement_sigma
    users = np.arange(span.first_user, span.first_user + span.users)
    outsiders = np.arange(span.first_outsider, span.first_outsider + span.outsiders)
    number = np.concatenate([users, outsiders])
    return Population(
        span=span,
        number=number,
        key=mix(seed, 7, number),
        household=household,
        head=_first_of_each(household)[household],
        home_rank=_rank_within(city_of_household)[household],
        city=city,
        carrier=rng.integers(0, config.carriers_per_country, persons),
        office=_draw_offices(rng, offices[city], config),
        bot=bot,
        engagement=np.exp(sigma * rng.standard_normal(persons) - sigma**2 / 2),
        intent=_draw_intent(rng, persons, config),
    )


def _draw_households(rng: np.random.Generator, span: Span, config: WorldConfig) -> Ints:
    """Return each person's household: near outsiders mix with users, the others live apart."""
    near = round(span.outsiders * config.outsiders_in_user_households)
    mixed = _group(rng, span.users + near, config)
    apart = _group(rng, span.outsiders - near, config) + mixed.max() + 1
    return np.concatenate([mixed, apart])


def _group(rng: np.random.Generator, persons: int, config: WorldConfig) -> Ints:
    shares = np.array(config.household_sizes)
    sizes = rng.choice(len(shares), persons, p=shares / shares.sum()) + 1
    household = np.searchsorted(np.cumsum(sizes), np.arange(persons), side="right")
    return rng.permutation(household).astype(np.int64)


def _draw_offices(rng: np.random.Generator, offices: Ints, config: WorldConfig) -> Ints:
    rank = np.floor(offices * rng.random(len(offices)) ** config.office_skew).astype(np.int64)
    return np.where(rng.random(len(offices)) < config.office_workers, rank, -1)


def _draw_intent(rng: np.random.Generator, persons: int, config: WorldConfig) -> Floats:
    common = rng.standard_normal((persons, 1))
    own = rng.standard_normal((persons, len(config.currencies)))
    share = config.intent_common
    intent: Floats = np.sqrt(share) * common + np.sqrt(1 - share) * own
    return intent


def _first_of_each(group: Ints) -> Ints:
    first = np.zeros(group.max() + 1, dtype=np.int64)
    backwards = np.arange(len(group) - 1, -1, -1)
    first[group[backwards]] = backwards
    return first


def _rank_within(group: Ints) -> Ints:
    order = np.argsort(group, kind="stable")
    ranked = group[order]
    start = np.searchsorted(ranked, ranked, side="left")
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - start
    return rank
