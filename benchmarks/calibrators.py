"""Which calibrator is nearest to the truth, by distortion, sample size and base rate.

Usage: python benchmarks/calibrators.py [--sizes 500 5000 50000] [--rates .5 .1 .01 .001]
       [--seeds N] [--fresh N]

Scores are drawn, and the true probability of each is a known distortion of it; outcomes are drawn
from that. Each calibrator is fitted to such a sample and asked about fresh scores. Its error is
told in two ways: the excess of its log loss over that of the truth, in nats, divided by the base
rate (nats an event, so that base rates compare), and the root mean squared distance of its
probability from the true one, in per cent of the base rate. A sample of one outcome has no fit
and is left out. Seeds are the same for all calibrators. The tables on standard output belong into
docs/choosing_a_calibrator.md.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.optimize import brentq
from scipy.special import expit, xlogy

from calibration.calibrators import Calibrator, HistogramCalibrator, IsotonicCalibrator
from calibration.errors import InsufficientDataError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator, TemperatureCalibrator
from calibration.priors import PriorCalibrator
from calibration.segmented import SegmentedCalibrator
from calibration.venn_abers import VennAbersCalibrator

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

SIZES: Final = (500, 2_000, 10_000, 100_000, 1_000_000)
RATES: Final = (0.5, 0.1, 0.01, 0.001)
NONE: Final = "none"
SEGMENTED: Final = "segmented"
CALIBRATORS: Final[tuple[Calibrator, ...]] = (
    PriorCalibrator(),
    TemperatureCalibrator(),
    SigmoidCalibrator(),
    BetaCalibrator(),
    HistogramCalibrator(),
    IsotonicCalibrator(),
    VennAbersCalibrator(),
)
NAMES: Final = (NONE, *(calibrator.kind for calibrator in CALIBRATORS))
BRACKETS: Final = (1, 10, 30, 100, 300, 1_000, 10_000, 100_000)
SPREAD: Final = 1.2
SEGMENTS: Final = 5
SHIFTS: Final = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
SHARES: Final = np.array([0.4, 0.3, 0.15, 0.1, 0.05])


@dataclass(frozen=True)
class World:
    """Scores, with the probability that each of them should have had.

    Attributes
    ----------
    truth : callable
        From standardised scores (log-odds over their spread, centred) and segments to log-odds
        relative to the centre.
    heavy : bool
        Whether the log-odds of scores have heavy tails (Student's t of 2.5 degrees).
    shift : float
        How far the scores' level is above the true one, in log-odds.
    """

    truth: Callable[[Floats, Integers], Floats]
    heavy: bool = False
    shift: float = 0.0


WORLDS: Final[dict[str, World]] = {
    "calibrated": World(lambda z, _: SPREAD * z),
    "overconfident": World(lambda z, _: 0.5 * SPREAD * z),
    "underconfident": World(lambda z, _: 1.8 * SPREAD * z),
    "shifted prior": World(lambda z, _: SPREAD * z, shift=1.5),
    "one-sided": World(lambda z, _: SPREAD * np.where(z > 0, 0.3 * z, z)),
    "S-shaped": World(lambda z, _: 2.5 * np.tanh(1.5 * z)),
    "non-monotone": World(lambda z, _: SPREAD * (z + 1.5 * np.sin(2.5 * z))),
    "step": World(lambda z, _: SPREAD * np.clip(np.floor(1.2 * z + 0.5), -2, 2)),
    "heavy tail": World(lambda z, _: SPREAD * np.sign(z) * np.log1p(np.abs(z)), heavy=True),
    "mixture": World(lambda z, segment: SPREAD * z + SHIFTS[segment]),
}


@dataclass(frozen=True)
class Rows:
    """Rows of a world.

    Attributes
    ----------
    scores, truth : ndarray of float, shape (n,)
        What a model says, and what is so.
    happened : ndarray of bool, shape (n,)
        Outcomes.
    segments : ndarray of int, shape (n,)
        Which only the mixture depends on.
    """

    scores: Floats
    truth: Floats
    happened: npt.NDArray[np.bool_]
    segments: Integers


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--rates", type=float, nargs="+", default=list(RATES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fresh", type=int, default=50_000, help="rows that each fit is asked of")
    options = parser.parse_args()
    started = time.perf_counter()
    runs = pl.DataFrame(
        [
            run
            for size, rate, name, seed in product(
                options.sizes, options.rates, WORLDS, range(options.seeds)
            )
            for run in _runs(name, size, rate, seed, options.fresh)
        ]
    )
    for line in _report(runs):
        print(line)
    print(f"{len(runs)} fits in {time.perf_counter() - started:.0f} s", file=sys.stderr)


def _runs(
    name: str, size: int, rate: float, seed: int, fresh: int
) -> Iterator[dict[str, str | int | float]]:
    """Yield the errors of all calibrators on one sample."""
    generator = np.random.default_rng([seed, list(WORLDS).index(name), size, int(1e6 * rate)])
    sample = _drawn(WORLDS[name], size, rate, generator)
    asked = _drawn(WORLDS[name], fresh, rate, generator)
    events = int(sample.happened.sum())
    told = {"distortion": name, "size": size, "rate": rate, "seed": seed}
    told["events"] = min(events, size - events)
    yield {**told, "calibrator": NONE, **_errors(np.clip(asked.scores, 1e-9, 1 - 1e-9), asked)}
    for calibrator in CALIBRATORS:
        try:
            fitted = calibrator.fit(sample.happened, sample.scores)
        except InsufficientDataError:
            return
        predicted = fitted.predict(asked.scores)
        yield {**told, "calibrator": calibrator.kind, **_errors(predicted, asked)}
    segmented = SegmentedCalibrator().fit(sample.happened, sample.scores, segments=sample.segments)
    predicted = segmented.predict(asked.scores, segments=asked.segments)
    yield {**told, "calibrator": SEGMENTED, **_errors(predicted, asked)}


def _drawn(world: World, size: int, rate: float, generator: np.random.Generator) -> Rows:
    """Draw rows; the level is set so that the base rate is that wanted."""
    z, segments = _standardised(world, size, generator)
    # the level is that of the world and not of the rows drawn
    grid, of_grid = _standardised(world, 20_000, np.random.default_rng(0))
    relative = world.truth(grid, of_grid)
    level = brentq(lambda level: expit(level + relative).mean() - rate, -30, 30)
    truth = expit(level + world.truth(z, segments))
    scores = expit(level + world.shift + SPREAD * z)
    return Rows(scores, truth, generator.random(size) < truth, segments)


def _standardised(
    world: World, size: int, generator: np.random.Generator
) -> tuple[Floats, Integers]:
    z = generator.standard_t(2.5, size) if world.heavy else generator.standard_normal(size)
    return z, generator.choice(SEGMENTS, size, p=SHARES)


def _errors(predicted: Floats, asked: Rows) -> dict[str, float]:
    truth, rate = asked.truth, asked.truth.mean()
    excess = xlogy(truth, truth / predicted)
    excess += xlogy(1 - truth, (1 - truth) / (1 - predicted))
    distance = np.sqrt(np.mean((predicted - truth) ** 2))
    return {"excess": float(excess.mean() / rate), "distance": float(distance / rate)}


def _report(runs: pl.DataFrame) -> Iterator[str]:
    """Yield the lines of the tables, of samples that all calibrators could be fitted to."""
    key = ["distortion", "size", "rate", "seed"]
    whole = runs.group_by(key).len().filter(pl.col("len") == len(NAMES) + 1)
    runs = runs.join(whole, on=key, how="semi")
    general = runs.filter(pl.col("calibrator") != SEGMENTED)
    general = general.with_columns(
        rank=pl.col("excess").rank().over(key),
        bracket=pl.Series(np.searchsorted(BRACKETS, general["events"], side="right") - 1),
    )
    seeds = runs["seed"].n_unique()
    yield f"Mean over ten distortions and {seeds} seeds; nats an event, so less is better."
    yield from _table("Excess of log loss by rows and base rate", general, ["size", "rate"])
    yield from _table("Excess of log loss by events of the rarer outcome", general, ["bracket"])
    yield from _table(
        "Mean rank by events of the rarer outcome", general, ["bracket"], value="rank"
    )
    yield from _table(
        "Distance from the true probability, shares of the base rate",
        general,
        ["bracket"],
        value="distance",
    )
    many = runs.filter(pl.col("events") >= 300)
    if len(many):
        title = "Excess of log loss by distortion, of samples with 300 events or more"
        yield from _table(title, many, ["distortion"], names=(*NAMES, SEGMENTED))


def _table(
    title: str,
    runs: pl.DataFrame,
    by: list[str],
    *,
    value: str = "excess",
    names: tuple[str, ...] = NAMES,
) -> Iterator[str]:
    """Yield a markdown table of means; the best is bold, and how far others are from it is last."""
    means = runs.group_by([*by, "calibrator"]).agg(pl.col(value).mean())
    order = runs.select(by).unique(maintain_order=True)
    if by != ["distortion"]:  # these come in their own order
        order = order.sort(by, descending=[name == "rate" for name in by])
    yield f"\n### {title}\n"
    yield "| " + " | ".join([*map(_heading, by), *names, "best", "second, over the best"]) + " |"
    yield "|" + "---|" * (len(by) + len(names) + 2)
    for place in order.iter_rows(named=True):
        row = means.join(pl.DataFrame([place], schema=order.schema), on=by, how="semi")
        values = dict(zip(row["calibrator"], row[value], strict=True))
        best, second = sorted(names, key=values.__getitem__)[:2]
        cells = [_cell(values[name], bold=name == best) for name in names]
        ratio = f"{second} {values[second] / values[best]:.2f}" if values[best] > 0 else second
        yield "| " + " | ".join([*map(_label, place.items()), *cells, best, ratio]) + " |"


def _heading(name: str) -> str:
    return {"size": "rows", "rate": "base rate", "bracket": "events"}.get(name, name)


def _label(cell: tuple[str, str | int | float]) -> str:
    name, value = cell
    if name == "bracket":
        place = int(value)
        if place + 1 == len(BRACKETS):
            return f"{BRACKETS[place]:,} or more"
        return f"{BRACKETS[place]:,} to {BRACKETS[place + 1] - 1:,}"
    return f"{value:,}" if name == "size" else str(value)


def _cell(value: float, *, bold: bool) -> str:
    text = f"{value:.2f}" if value >= 1 else f"{value:.4f}".removeprefix("0")
    return f"**{text}**" if bold else text


if __name__ == "__main__":
    main()
