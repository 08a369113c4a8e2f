"""A simulated world: chunks of people, then one folder of logs a day, then the truth."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from simulation.activity import Accounts
from simulation.arrays import Compact, Ints
from simulation.chunks import Harvest, World, plan_world, simulate_chunk, start_harvest
from simulation.clock import Clock
from simulation.config import WorldConfig
from simulation.frames import activity_frame, cost_frame, touchpoint_frame
from simulation.hashing import mix
from simulation.population import plan_spans
from simulation.writing import TABLES, prepare_folder, write_table

_START = date(2026, 1, 5)
Progress = Callable[[str, float], None]


def simulate(
    out: Path,
    *,
    users: int,
    days: int,
    seed: int,
    start: date = _START,
    config: WorldConfig | None = None,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Write a simulated world's logs and the truth about it; return the rows of each table.

    The same arguments give the same bytes, whatever the number of threads.

    Parameters
    ----------
    out : Path
        Folder to write into: absent or empty.
    users : int
        Users of the platform; others live and convert around them.
    days : int
        Days of logs.
    seed : int
        Seed of all randomness, at least 0.
    start : date, optional
        First day.
    config : WorldConfig, optional
        The rates; the defaults when omitted.
    progress : callable, optional
        Called with a step's name and the share of it that is done.

    Raises
    ------
    ValueError
        If users or days are below 1, or the seed below 0.
    FileExistsError
        If the folder is not empty.
    """
    for name, number, least in (("users", users, 1), ("days", days, 1), ("seed", seed, 0)):
        if number < least:
            raise ValueError(
                f"{name}: {number} is too small. Give a whole number of at least {least}."
            )
    prepare_folder(out)
    tell = progress or _stay_silent
    clock = Clock(start, days)
    world = plan_world(users, seed=seed, clock=clock, config=config or WorldConfig())
    harvest = start_harvest(world)
    spans = plan_spans(users, world.config)
    for done, span in enumerate(spans, start=1):
        simulate_chunk(world, span, harvest)
        tell("people", done / len(spans))
    return _write_out(out, world, harvest, tell)


def _write_out(out: Path, world: World, harvest: Harvest, tell: Progress) -> dict[str, int]:
    """Write the days' logs and the truth; return the rows of each table."""
    accounts = Accounts(np.concatenate(harvest.emails), np.concatenate(harvest.phones))
    counts = dict.fromkeys(TABLES, 0)
    days = world.clock.days
    for day in range(days):
        folder = out / f"date={world.clock.date_of(day).isoformat()}"
        for table, frame in _draw_up(world, harvest, accounts, day):
            counts[table] += write_table(frame, folder / f"{table}.parquet")
        tell("days", (day + 1) / days)
    for table, frame in _tell_truth(world, harvest):
        counts[table] = write_table(frame, out / f"{table}.parquet")
    return counts


def _draw_up(
    world: World, harvest: Harvest, accounts: Accounts, day: int
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Return the tables of one log day in turn, rows out of order; empty the harvest of them."""
    clock, config, seed = world.clock, world.config, world.seed
    activity = _gather(harvest.activity[day], seed=seed, day=day)
    harvest.activity[day].clear()
    yield "activity", activity_frame(activity, clock=clock, users=world.users, accounts=accounts)
    rows = _gather(harvest.touches[day], seed=seed, day=day)
    harvest.touches[day].clear()
    yield (
        "touchpoints",
        touchpoint_frame(
            rows, world.campaigns, clock=clock, users=world.users, seed=seed, config=config
        ),
    )
    signals = pl.concat(harvest.signals[day])
    harvest.signals[day].clear()
    yield "signals", signals[_scatter(signals.height, seed=seed, day=day)]
    yield "costs", cost_frame(rows, world.campaigns, clock=clock, day=day, seed=seed, config=config)


def _tell_truth(world: World, harvest: Harvest) -> Iterator[tuple[str, pl.DataFrame]]:
    yield "truth_match", pl.concat(harvest.truth).sort("signal_id")
    yield (
        "truth_credit",
        pl.DataFrame(
            {
                "caused_by": pl.Series(world.campaigns.names, dtype=pl.String),
                "incremental": harvest.incremental,
                "value": np.round(harvest.value, 2),
            }
        ),
    )


def _gather(pieces: list[Compact], *, seed: int, day: int) -> Compact:
    """Return the chunks' pieces of one day as one set of columns, shuffled."""
    order = _scatter(sum(len(piece["time"]) for piece in pieces), seed=seed, day=day)
    return {name: np.concatenate([piece[name] for piece in pieces])[order] for name in pieces[0]}


def _scatter(rows: int, *, seed: int, day: int) -> Ints:
    """Return a fixed shuffle: rows of one person must not stand together."""
    return np.argsort(mix(seed, 95, day, np.arange(rows)), kind="stable")


def _stay_silent(step: str, share: float) -> None:
    """Take the place of a progress bar."""
