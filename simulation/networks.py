"""Addresses: home leases that move, carrier NAT, offices and data centres."""

from dataclasses import dataclass

import numpy as np

from simulation.arrays import Bools, Floats, Ints, Words
from simulation.clock import DAY, HOUR, Clock
from simulation.config import WorldConfig
from simulation.hashing import mix, uniform
from simulation.places import load_atlas, locate
from simulation.population import CHUNK_USERS, Population

# Where the pools begin. The documentation ranges of RFC 5737 are too small for a world.
_HOME, _OFFICE, _DATA_CENTRE, _CARRIER = 24 << 24, 65 << 24, 52 << 24, 166 << 24
# Addresses kept for each household, so that a lease that moves seldom lands on a neighbour's.
_SPARE = 8
# A person stays in one place for this long.
_STAY = 2 * HOUR
# An odd factor scatters neighbouring ranks over a pool whose size is a power of two, without
# collisions.
_SCATTER = 0x9E3779B1
PHONE, DESKTOP, TABLET = 0, 1, 2


@dataclass(frozen=True)
class AddressPlan:
    """Base and size of every pool, by city (and carrier)."""

    seed: int
    home_base: Ints
    home_size: Ints
    homes_per_chunk: Ints
    office_base: Ints
    offices: Ints
    carrier_base: Ints
    carrier_size: Ints
    data_centre_size: int


@dataclass(frozen=True)
class Addresses:
    """Where rows were seen: the two halves of the address (`high` 0: IPv4) and the geo-IP city."""

    high: Words
    low: Words
    city: Ints


def plan_addresses(users: int, *, config: WorldConfig, seed: int) -> AddressPlan:
    """Return pools wide enough for a world of so many users."""
    weight = load_atlas().weight
    persons = users * (1 + config.outsiders_per_user)
    sizes = np.array(config.household_sizes)
    people_per_home = (sizes * np.arange(1, len(sizes) + 1)).sum()
    chunks = -(-users // CHUNK_USERS)
    homes = weight * (persons / chunks + 10) / people_per_home
    per_chunk = np.ceil(homes + 6 * np.sqrt(homes) + 8).astype(np.int64)
    home_size = 1 << np.ceil(np.log2(_SPARE * chunks * per_chunk)).astype(np.int64)
    offices = np.ceil(weight * persons * config.office_workers / config.people_per_office).astype(
        np.int64
    )
    subscribers = weight * persons / config.carriers_per_country
    carrier_size = np.ceil(subscribers / config.people_per_carrier_address).astype(np.int64)
    pools = np.repeat(carrier_size, config.carriers_per_country).reshape(len(weight), -1)
    return AddressPlan(
        seed=seed,
        home_base=_HOME + _stack(home_size),
        home_size=home_size,
        homes_per_chunk=per_chunk,
        office_base=_OFFICE + _stack(offices),
        offices=offices,
        carrier_base=_CARRIER + _stack(pools.ravel()).reshape(pools.shape),
        carrier_size=pools,
        data_centre_size=max(1, round(users * config.bot_share / config.bots_per_address)),
    )


def observe(
    population: Population,
    plan: AddressPlan,
    clock: Clock,
    *,
    person: Ints,
    device: Ints,
    kind: Ints,
    time: Ints,
    config: WorldConfig,
) -> Addresses:
    """Return the address that each row is seen from, and what geo-IP makes of it.

    Parameters
    ----------
    population, plan, clock
        The people, the pools, the window.
    person, device, kind, time : ndarray of shape (n,)
        Who, with which device, of which kind (phone, desktop, tablet), when.
    config : WorldConfig
        The rates.
    """
    city = population.city[person]
    at_office, on_carrier = _whereabouts(
        population, clock, person=person, kind=kind, time=time, config=config
    )
    high, low = _home(population, plan, person=person, device=device, time=time, config=config)
    office = plan.office_base[city] + population.office[person]
    carrier = _carrier(population, plan, person=person, time=time)
    bot = population.bot[person]
    centre = _DATA_CENTRE + 37 * (
        mix(31, population.key[person]) % np.uint64(plan.data_centre_size)
    ).astype(np.int64)
    away = bot | at_office | on_carrier
    fourth = np.select([bot, at_office, on_carrier], [centre, office, carrier], 0)
    low = np.where(away, fourth.astype(np.uint64), low)
    high = np.where(away, np.uint64(0), high)
    error: Floats = np.where(on_carrier, config.geoip_error_mobile, config.geoip_error)
    block = np.where(high > 0, high >> np.uint64(16), low >> np.uint64(8))
    found = locate(city, block, error_rate=error, abroad_rate=config.geoip_error_abroad)
    return Addresses(high=high, low=low, city=found)


def _whereabouts(
    population: Population,
    clock: Clock,
    *,
    person: Ints,
    kind: Ints,
    time: Ints,
    config: WorldConfig,
) -> tuple[Bools, Bools]:
    """Return who is at the office and who on a carrier's network; people stay for a while."""
    city, key = population.city[person], population.key[person]
    hour = clock.local_hour(time, city)
    works = (
        clock.is_workday(time, city) & (hour >= 9) & (hour < 17) & (population.office[person] >= 0)
    )
    stay = time // _STAY
    at_office = works & (kind != TABLET) & (uniform(21, key, stay) < config.office_presence)
    on_carrier = (
        ~at_office & (kind == PHONE) & (uniform(22, key, stay) < config.mobile_network_share)
    )
    return at_office, on_carrier


def _home(
    population: Population,
    plan: AddressPlan,
    *,
    person: Ints,
    device: Ints,
    time: Ints,
    config: WorldConfig,
) -> tuple[Words, Words]:
    city = population.city[person]
    slot = population.span.chunk * plan.homes_per_chunk[city] + population.home_rank[person]
    home = mix(plan.seed, 23, city, slot)
    lease = _lease(home, city, time, config)
    size = plan.home_size[city].astype(np.uint64)
    moved = np.where(lease > 0, mix(24, home, lease), np.uint64(0))
    offset = (slot.astype(np.uint64) * np.uint64(_SCATTER) + moved) % size
    low = plan.home_base[city].astype(np.uint64) + offset
    sixth = (uniform(25, home) < config.ipv6_household_share) & (
        uniform(26, device, time // _STAY) < config.ipv6_use
    )
    block = load_atlas().sixth_blocks[load_atlas().country_of[city]] << np.uint64(32)
    prefix = block | (mix(27, home, lease) & np.uint64(0xFFFFFFFF)) | np.uint64(0x10001000)
    # Privacy extensions (RFC 8981) give a device another interface identifier every day.
    suffix = mix(28, home, device, time // DAY) | np.uint64(0x1000100010001000)
    return np.where(sixth, prefix, np.uint64(0)), np.where(sixth, suffix, low)


def _lease(home: Words, city: Ints, time: Ints, config: WorldConfig) -> Ints:
    """Return which of its home's leases each row falls in, from 0."""
    atlas = load_atlas()
    german = atlas.country_of[city] == atlas.countries.index("DE")
    daily = np.where(german, config.daily_lease_share_germany, config.daily_lease_share)
    draw = uniform(29, home)
    spread = 0.5 + uniform(30, home)
    moving = draw < daily + config.moving_lease_share
    days = np.where(moving, config.moving_lease_days, config.stable_lease_days) * spread
    period = np.where(draw < daily, 1.0, days) * DAY
    lease: Ints = ((time + uniform(32, home) * period) // period).astype(np.int64)
    return lease


def _carrier(population: Population, plan: AddressPlan, *, person: Ints, time: Ints) -> Ints:
    """Return the exit address of a carrier's NAT: another one every few hours."""
    city, carrier = population.city[person], population.carrier[person]
    size = plan.carrier_size[city, carrier].astype(np.uint64)
    turn = mix(33, population.key[person], time // (6 * HOUR)) % size
    address: Ints = plan.carrier_base[city, carrier] + turn.astype(np.int64)
    return address


def _stack(sizes: Ints) -> Ints:
    """Return where each pool starts: one after another, each on a boundary of 256 addresses."""
    whole = -(-sizes // 256) * 256
    starts: Ints = np.cumsum(whole) - whole
    return starts
