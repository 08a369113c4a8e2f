"""Every model's credit beside what ads caused, in simulated worlds that know it; the peers' too.

Usage: OMP_NUM_THREADS=1 python benchmarks/attribution_truth.py [--worlds NAME ...] [--seeds N ...]
           [--users N] [--peers PYTHON] [--peer-seeds N] [--limit SECONDS] [--sample PATHS]
           [--folder DIR] [--out FILE]

The worlds are those of `benchmarks/journey_worlds.py`, with the true matches. Models:

- rules, on the touches of each conversion that the platform preset lets stand: clicks of 7 days and
  views of 1 day, a stronger kind before a later touch. Time decay halves in 7 days, position based
  gives 40% to the first and the last;
- markov (order 1), shapley, hazard and counterfactual, by their credit of paths of 7 days. "hazard,
  expected" is what touches are expected to cause, not counting which conversions came;
- lift: treated less baseline conversions of each campaign, plain, and shrunk towards each other;
- "last_touch to lifts" is last touch scaled to agree with the lifts;
- incremental, the default: the mean of calibrated last touch and of the hazard, or the hazard alone
  where nobody is held out; its seconds are mostly those of its intervals;
- calibrated last touch, the mean of two readings of the holdouts, which have rows of their own; and
  recency, which it is without holdouts: from how soon conversions follow;
- peers, in another Python (`benchmarks/path_peers.py`): the same paths of 7 days, without those
  that hold no touch. They give shares, of all conversions with a touch; a negative share is 0 here.
  What takes minutes gets a sample of the paths, and a name that says so. They may be asked of the
  first seeds alone.

Where nobody is held out the models that need it are left out. Errors are of incremental conversions
by campaign: share (total variation of shares), weighted (sum of absolute errors over the true sum),
total, rank (Spearman), each as the mean and the worst of the seeds; "held" is how many of the 90%
intervals of campaigns held what was caused; seconds are of one core, of other work beside it.
"""

import argparse
import math
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from journey_worlds import WORLDS, World, simulated
from path_models import PEERS, by_peer, written
from truth_models import LEARNED, RULES, by_channel, eligible

from attribution.credit_errors import (
    rank_correlation,
    share_error,
    total_error,
    weighted_error,
)
from attribution.histories import Histories
from attribution.holdouts.lift import lifts
from attribution.holdouts.lift_calibration import calibrate
from attribution.learned.caused import incremental_credit
from attribution.paths import Floats, Paths
from warehouse.errors import InsufficientDataError

SLOW: Final = (
    "do-attribution to null", "do-attribution fail", "do-attribution shapley", "mam markov",
    "mam shapley", "mam shapley size 4", "shapley-attribution",
)  # fmt: skip
"""Peers that get a sample of the paths."""
FIGURES: Final = ("share", "weighted", "total", "rank")


@dataclass(frozen=True)
class Answer:
    """Credit of each campaign, in the order of the channels, and its 90% interval if there is one.

    Attributes
    ----------
    model : str
        Its name in the table.
    credit : ndarray of shape (channels,)
        Conversions.
    seconds : float
        How long it took.
    low, high : ndarray of shape (channels,), or None
        The interval.
    """

    model: str
    credit: Floats
    seconds: float
    low: Floats | None = None
    high: Floats | None = None


def main() -> None:
    """Print a table for each world."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worlds", nargs="+", choices=list(WORLDS), default=list(WORLDS))
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(21, 41)))
    parser.add_argument("--users", type=int, default=200_000)
    parser.add_argument("--peers", type=Path, default=None, help="a Python that has the peers")
    parser.add_argument("--peer-seeds", type=int, default=20, help="of how many seeds to ask them")
    parser.add_argument("--limit", type=float, default=120.0, help="seconds for one peer")
    parser.add_argument("--sample", type=int, default=100_000, help="paths for slow peers")
    parser.add_argument("--folder", type=Path, default=None, help="where worlds are kept")
    parser.add_argument("--out", type=Path, default=None, help="CSV of all figures")
    options = parser.parse_args()
    rows: list[dict[str, object]] = []
    for kind in options.worlds:
        slow: set[str] = set()
        for seed in options.seeds:
            rows += judged(kind, seed, options, slow)
            if options.out is not None:
                pl.DataFrame(rows, infer_schema_length=None).write_csv(options.out)
        frame = pl.DataFrame(rows, infer_schema_length=None).filter(pl.col("world") == kind)
        tell(kind, frame, options)


def judged(
    kind: str, seed: int, options: argparse.Namespace, slow: set[str]
) -> list[dict[str, object]]:
    """Return a row of figures for each model in one world."""
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        place = folder / f"{kind.replace(' ', '_')}_{options.users}_{seed}"
        world = simulated(place, kind, users=options.users, seed=seed)
    rows = []
    asked = options.peers is not None and seed in options.seeds[: options.peer_seeds]
    for answer in answers(world, options, slow if asked else None):
        true = truth_of(world)
        row: dict[str, object] = {"world": kind, "seed": seed, "model": answer.model}
        row |= {**figures(answer.credit, true), "held": 0, "intervals": 0}
        if answer.low is not None and answer.high is not None:
            row |= {
                "held": int(((answer.low <= true) & (true <= answer.high)).sum()),
                "intervals": len(true),
            }
        rows.append({**row, "seconds": round(answer.seconds, 2)})
    return rows


def answers(world: World, options: argparse.Namespace, slow: set[str] | None) -> Iterator[Answer]:
    """Yield the credit of every model; of peers unless `slow` is None."""
    histories = world.histories
    told: dict[str, Floats] = {}
    standing, paths = eligible(histories), histories.paths()
    for name, rule in RULES.items():
        started = time.monotonic()
        told[name] = by_channel(standing, rule(standing))
        yield Answer(name, told[name], time.monotonic() - started)
    for fitted in LEARNED:
        started = time.monotonic()
        for name, credit in fitted(histories, paths):
            told[name] = credit
            yield Answer(name, credit, time.monotonic() - started)
            started = time.monotonic()
    yield from by_holdouts(histories, told)
    yield from by_default(histories)
    if slow is not None:
        yield from by_peers(paths, options, slow)


def by_holdouts(histories: Histories, others: dict[str, Floats]) -> Iterator[Answer]:
    """Yield what holdouts say, by itself and of models; nothing where nobody is held out."""
    started = time.monotonic()
    names = pl.DataFrame({"name": histories.channels})
    try:
        told = names.join(lifts(histories), on="name", how="left", maintain_order="left")
    except InsufficientDataError:
        return
    took = time.monotonic() - started
    # a campaign without held-out users has no lift: it takes part as nothing
    told = told.with_columns(pl.col(pl.Float64).fill_null(0.0))
    bounds = told["low_90"].to_numpy(), told["high_90"].to_numpy()
    yield Answer("lift", told["incremental"].to_numpy(), took, *bounds)
    bounds = told["shrunk_low"].to_numpy(), told["shrunk_high"].to_numpy()
    yield Answer("lift, shrunk", told["shrunk"].to_numpy(), took, *bounds)
    plain = pl.DataFrame({"campaign_id": histories.channels, "credit": others["last_touch"]})
    scaled = names.join(
        calibrate(plain, told), left_on="name", right_on="campaign_id", how="left",
        maintain_order="left",
    )  # fmt: skip
    bounds = scaled["low"].to_numpy(), scaled["high"].to_numpy()
    yield Answer("last_touch to lifts", scaled["calibrated"].to_numpy(), took, *bounds)


def by_default(histories: Histories) -> Iterator[Answer]:
    """Yield the product's own answer, and the readings of holdouts that it is made of."""
    started = time.monotonic()
    found = incremental_credit(histories)
    took = time.monotonic() - started
    bounds = found["low"].to_numpy(), found["high"].to_numpy()
    yield Answer("incremental", found["incremental"].to_numpy(), took, *bounds)
    if found["by_last_touch"].null_count() == 0:
        last, opportunity = found["by_last_touch"].to_numpy(), found["by_opportunity"].to_numpy()
        yield Answer("holdouts by last touch", last, took)
        yield Answer("holdouts by opportunity", opportunity, took)
        yield Answer("calibrated_last_touch", (last + opportunity) / 2, took)


def by_peers(paths: Paths, options: argparse.Namespace, slow: set[str]) -> Iterator[Answer]:
    """Yield the peers' credit; add to `slow` those that did not answer, to ask no more."""
    touched = paths.take(np.flatnonzero(np.diff(paths.offsets)))
    whole = float(touched.conversions @ touched.weights)
    with tempfile.TemporaryDirectory() as name:
        table = Path(name) / "paths.parquet"
        for peer in PEERS:
            if peer in slow:
                continue
            sampled = peer in SLOW and len(touched) > options.sample
            label = f"{peer}, {options.sample:,} paths" if sampled else peer
            told = sample_of(touched, options.sample) if sampled else touched
            written(told).write_parquet(table)
            found = by_peer(options.peers, peer, table, options.limit)
            if isinstance(found, str):
                slow.add(peer)
                print(f"{label}: {found}", flush=True)
                continue
            seconds, parts = found
            credit = np.array([max(parts.get(channel, 0.0), 0.0) for channel in paths.channels])
            yield Answer(label, credit * (whole / max(credit.sum(), 1e-9)), seconds)


def sample_of(paths: Paths, count: int) -> Paths:
    """Return so many paths, drawn without replacement."""
    drawn = np.random.default_rng(1).choice(len(paths), count, replace=False)
    return paths.take(np.sort(drawn))


def truth_of(world: World) -> Floats:
    """Return what each campaign caused, in the order of the channels."""
    names = pl.DataFrame({"campaign_id": world.histories.channels})
    found = names.join(world.truth, on="campaign_id", how="left", maintain_order="left")
    return found["incremental"].fill_null(0.0).to_numpy()


def figures(credit: Floats, true: Floats) -> dict[str, float]:
    """Return the errors of credit."""
    found = (
        share_error(credit, true), weighted_error(credit, true), total_error(credit, true),
        rank_correlation(credit, true),
    )  # fmt: skip
    return dict(zip(FIGURES, found, strict=True))


def tell(kind: str, frame: pl.DataFrame, options: argparse.Namespace) -> None:
    """Print the table of one world."""
    seeds = frame["seed"].n_unique()
    print(f"\n### {kind}: {options.users:,} users, {seeds} seeds\n")
    print("| model | share | worst | weighted | worst | total | worst | rank | least | 90% held "
          "| seconds |\n|---|---|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    for model in frame["model"].unique(maintain_order=True):
        own = frame.filter(pl.col("model") == model)
        line = [model]
        for name in ("share", "weighted"):
            line += [written_as(own[name].mean(), ".3f"), written_as(own[name].max(), ".3f")]
        farthest = own["total"].gather([own["total"].abs().arg_max() or 0])[0]
        line += [written_as(own["total"].mean(), "+.1%"), written_as(farthest, "+.1%")]
        line += [written_as(own["rank"].mean(), ".3f"), written_as(own["rank"].min(), ".3f")]
        held = own["held"].sum() / own["intervals"].sum() if own["intervals"].sum() else None
        line += [written_as(held, ".1%"), written_as(own["seconds"].mean(), ".1f")]
        if len(own) < seeds:
            line[0] += f" ({len(own)} of {seeds} seeds)"
        print(f"| {' | '.join(line)} |", flush=True)


def written_as(figure: object, form: str) -> str:
    """Return a figure as text, empty where there is none."""
    return format(figure, form) if isinstance(figure, float) and math.isfinite(figure) else ""


if __name__ == "__main__":
    main()
