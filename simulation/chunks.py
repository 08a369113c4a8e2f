"""One chunk of people from birth to logs.

Chunks bound the memory: nothing that happens in a world depends on two of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from simulation.activity import draw_activity, write_accounts
from simulation.arrays import Chars, Compact, Floats, Ints
from simulation.campaigns import Campaigns, plan_campaigns
from simulation.clock import DAY, Clock
from simulation.config import WorldConfig
from simulation.devices import Devices, draw_devices
from simulation.exposure import Touches, draw_episodes, draw_touches
from simulation.identifiers import draw_disclosure
from simulation.networks import AddressPlan, observe, plan_addresses
from simulation.outcomes import Conversions, draw_conversions
from simulation.population import Population, Span, draw_population
from simulation.signal_frames import Dispatch, credit_truth, match_truth, signal_frame
from simulation.signals import draw_signals, draw_visits


@dataclass(frozen=True)
class World:
    """What all chunks share."""

    users: int
    seed: int
    clock: Clock
    config: WorldConfig
    campaigns: Campaigns
    plan: AddressPlan


@dataclass
class Harvest:
    """What the chunks have brought in so far, logs by day."""

    activity: list[list[Compact]]
    touches: list[list[Compact]]
    signals: list[list[pl.DataFrame]]
    incremental: Ints
    value: Floats
    truth: list[pl.DataFrame] = field(default_factory=list)
    emails: list[Chars] = field(default_factory=list)
    phones: list[Chars] = field(default_factory=list)
    touch_count: int = 0
    signal_count: int = 0


def plan_world(users: int, *, seed: int, clock: Clock, config: WorldConfig) -> World:
    """Return the fixed parts of a world: its campaigns and its address pools."""
    plan = plan_addresses(users, config=config, seed=seed)
    return World(users, seed, clock, config, plan_campaigns(config), plan)


def start_harvest(world: World) -> Harvest:
    """Return an empty harvest for the world's days and campaigns."""
    days, count = world.clock.days, len(world.campaigns.names)
    return Harvest(
        activity=[[] for _ in range(days)],
        touches=[[] for _ in range(days)],
        signals=[[] for _ in range(days)],
        incremental=np.zeros(count, dtype=np.int64),
        value=np.zeros(count),
    )


def simulate_chunk(world: World, span: Span, harvest: Harvest) -> None:
    """Simulate one chunk of people and add what they leave in the logs to the harvest."""
    # A stream for each step: a change of one step leaves the others' draws alone.
    streams = _open_streams(world, span)
    config, clock, campaigns = world.config, world.clock, world.campaigns
    population = draw_population(
        next(streams), span, offices=world.plan.offices, config=config, seed=world.seed
    )
    devices = draw_devices(next(streams), population, config=config, seed=world.seed)
    accounts = write_accounts(population, config)
    harvest.emails.append(accounts.emails)
    harvest.phones.append(accounts.phones)
    activity = draw_activity(next(streams), population, devices, world.plan, clock, config)
    _file_by_day(activity, harvest.activity)
    episodes = draw_episodes(next(streams), population, clock, config)
    touches = draw_touches(
        next(streams), population, campaigns, episodes, clock, seed=world.seed, config=config
    )
    conversions = draw_conversions(
        next(streams), population, campaigns, episodes, touches, clock, config
    )
    _harvest_signals(streams, world, population, devices, touches, conversions, harvest)
    _harvest_touches(next(streams), world, population, touches, harvest)


def _open_streams(world: World, span: Span) -> Iterator[np.random.Generator]:
    seeds = np.random.SeedSequence([world.seed, span.chunk]).spawn(12)
    return (np.random.default_rng(seed) for seed in seeds)


def _harvest_signals(
    streams: Iterator[np.random.Generator],
    world: World,
    population: Population,
    devices: Devices,
    touches: Touches,
    conversions: Conversions,
    harvest: Harvest,
) -> None:
    config, campaigns, clock = world.config, world.campaigns, world.clock
    visits = draw_visits(
        next(streams),
        population,
        devices,
        touches,
        conversions,
        config,
        advertiser_of_touch=campaigns.advertiser[touches.campaign],
    )
    disclosure = draw_disclosure(next(streams), population, conversions, visits, config)
    distinct, log_row, log_day = draw_signals(next(streams), conversions, visits, clock, config)
    source = distinct.conversion
    seen = observe(
        population,
        world.plan,
        clock,
        person=conversions.person[source],
        device=visits.device[source],
        kind=visits.kind[source],
        time=distinct.time,
        config=config,
    )
    sent = Dispatch(distinct, population, devices, conversions, visits, disclosure, seen)
    frame = signal_frame(
        next(streams),
        sent,
        campaigns,
        first_touch=harvest.touch_count,
        first_signal=harvest.signal_count,
        clock=clock,
        seed=world.seed,
        config=config,
    )
    _file_signals(world, sent, frame, log_row, log_day, harvest)


def _file_signals(
    world: World,
    sent: Dispatch,
    frame: pl.DataFrame,
    log_row: Ints,
    log_day: Ints,
    harvest: Harvest,
) -> None:
    """Add the signals' rows to their log days, and the truth about them."""
    for day, pieces in enumerate(harvest.signals):
        pieces.append(frame[log_row[log_day == day]])
    harvest.truth.append(match_truth(frame, sent, world.campaigns, users=world.users))
    harvest.signal_count += len(sent.rows)
    incremental, value = credit_truth(sent.rows, sent.conversions, world.campaigns)
    harvest.incremental += incremental
    harvest.value += value


def _harvest_touches(
    rng: np.random.Generator,
    world: World,
    population: Population,
    touches: Touches,
    harvest: Harvest,
) -> None:
    """Add the touchpoints; a few are logged a day late, and past the window not at all."""
    rows = len(touches.user)
    late = rng.random(rows) < world.config.touch_late_share
    compact: Compact = {
        "log_day": (touches.time // DAY + late).astype(np.int16),
        "user": population.number[touches.user].astype(np.int32),
        "campaign": touches.campaign.astype(np.int16),
        "ad": touches.ad.astype(np.int16),
        "kind": touches.kind.astype(np.int8),
        "time": touches.time,
        "control": touches.control,
        "cost": touches.cost,
        "number": np.arange(rows) + harvest.touch_count,
    }
    _file_by_day(compact, harvest.touches)
    harvest.touch_count += rows


def _file_by_day(rows: Compact, days: list[list[Compact]]) -> None:
    """Add rows to the pieces of their log day; rows of a later day are dropped."""
    log_day = rows["log_day"]
    for day, pieces in enumerate(days):
        chosen = np.flatnonzero(log_day == day)
        pieces.append({name: column[chosen] for name, column in rows.items() if name != "log_day"})
