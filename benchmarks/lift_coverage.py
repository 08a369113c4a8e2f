"""How often 90% intervals of lift, calibrated credit and rule credit hold what is true.

Usage: python benchmarks/lift_coverage.py [--worlds N] [--samples N] [--users N]

A world has 20 campaigns of 4 surfaces and hidden intent, which raises both the chance of an
opportunity and the baseline of conversions; what an ad causes varies by campaign and surface. A
tenth of the pairs of a user and a campaign are held out. Of each world samples of users are drawn;
every figure is worked out on a sample alone. Some users convert several times.

The truth of an incremental figure is what is expected to be caused in the treated users, and, a row
apart, what was: intervals are made for the first, and hold the second more often. The truth of rule
credit (each conversion divided evenly over the campaigns shown to its user) is its mean over a
sample a hundred times as large. In the row "uncertain" three conversions in ten belong to their
user with probability 0.7 only. The draw of a match stands beside that of its user, so that the
interval is as wide as it would be if owners were known; it holds the expected credit a little more
often than said, as the credit is a mean over matches already.

Printed: the share of intervals that hold the truth, of those that lie below and above it, and half
their length over the truth, at the median.
"""

import argparse
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from attribution.bootstrap import credit_intervals
from attribution.holdouts.lift import estimate_lifts
from attribution.holdouts.lift_calibration import calibrate
from attribution.paths import KINDS, Paths, Touches

CAMPAIGNS: Final = 20
SURFACES: Final = 4
HELD_OUT: Final = 0.1
INTENTS: Final = np.array([0.3, 0.8, 1.3, 2.6])  # the mean is 1.25, and so is made 1
REFERENCE: Final = 100  # how many times a sample the one is that tells rule credit's truth
UNCERTAIN: Final = 0.7
DOUBTFUL: Final = 0.3  # share of conversions that belong to their user with that probability
BLOCK: Final = 50_000
NAMES: Final = tuple(f"cmp_{number:02}" for number in range(CAMPAIGNS))
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """Rates of a world, by campaign."""

    reach: Floats
    targeting: Floats
    effect: Floats
    baseline: float


@dataclass(frozen=True)
class Sample:
    """Users of a world: what each was offered, shown, and did."""

    offered: npt.NDArray[np.bool_]
    held: npt.NDArray[np.bool_]
    caused: npt.NDArray[np.int64]
    conversions: npt.NDArray[np.int64]

    @property
    def shown(self) -> npt.NDArray[np.bool_]:
        """Pairs to whom an ad was shown."""
        return self.offered & ~self.held


@dataclass
class Tally:
    """Intervals that hold the truth, and that lie below or above it."""

    held: int = 0
    below: int = 0
    above: int = 0

    def add(self, low: Floats, high: Floats, truth: Floats) -> None:
        """Count intervals."""
        self.below += int((high < truth).sum())
        self.above += int((low > truth).sum())
        self.held += int(((low <= truth) & (truth <= high)).sum())


def draw_world(rng: np.random.Generator) -> World:
    """Return a world whose effects differ by surface and by campaign."""
    surface = np.arange(CAMPAIGNS) % SURFACES
    factor = 1 + 0.25 * rng.standard_normal(SURFACES)[surface]
    factor += 0.25 * rng.standard_normal(CAMPAIGNS)
    return World(
        reach=rng.uniform(0.05, 0.2, CAMPAIGNS),
        targeting=rng.uniform(0.0, 1.0, CAMPAIGNS),
        effect=0.05 * np.maximum(factor, 0.0),
        baseline=0.06,
    )


def draw_sample(rng: np.random.Generator, world: World, users: int) -> Sample:
    """Return users drawn from a world."""
    intent = (INTENTS / INTENTS.mean())[rng.integers(0, len(INTENTS), users)]
    chance = world.reach * (1 + world.targeting * (intent[:, None] - 1))
    offered = rng.random((users, CAMPAIGNS)) < chance
    held = offered & (rng.random((users, CAMPAIGNS)) < HELD_OUT)
    caused = rng.poisson(np.where(offered & ~held, world.effect, 0.0))
    baseline = rng.poisson(world.baseline * intent)
    return Sample(offered, held, caused, baseline + caused.sum(axis=1))


def arm_counts(sample: Sample) -> pl.DataFrame:
    """Return the counts that lifts are estimated from."""
    won = sample.conversions[:, None]
    treated, control = sample.shown, sample.held
    columns = {
        "treated_users": treated, "control_users": control,
        "treated_conversions": treated * won, "control_conversions": control * won,
        "treated_squares": treated * won**2, "control_squares": control * won**2,
        "contaminated_users": np.zeros_like(control),
    }  # fmt: skip
    sums = {name: column.sum(axis=0) for name, column in columns.items()}
    return pl.DataFrame({"campaign_id": NAMES, "name": NAMES, **sums})


def even_credit(sample: Sample) -> Floats:
    """Return conversions divided evenly over the campaigns shown."""
    shown = sample.shown
    each = sample.conversions / np.maximum(shown.sum(axis=1), 1)
    return np.asarray(each @ shown, dtype=np.float64)


def even_paths(sample: Sample, probability: float | None, rng: np.random.Generator) -> Paths:
    """Return the path of each conversion; with probabilities some are of others, at that rate."""
    user = np.repeat(np.arange(len(sample.conversions)), sample.conversions)
    chance = np.ones(len(user))
    if probability is not None:
        doubtful = rng.random(len(user)) < DOUBTFUL
        # for each conversion that is his there are others that are not
        more = rng.poisson(np.where(doubtful, 1 / probability - 1, 0.0))
        chance[doubtful] = probability
        user, chance = np.repeat(user, 1 + more), np.repeat(chance, 1 + more)
    shown = sample.shown[user]
    row, channel = np.nonzero(shown)
    lengths = shown.sum(axis=1)
    touches = Touches(
        channel.astype(np.int32),
        np.full(len(row), KINDS.index("impression"), dtype=np.int32),
        np.zeros(len(row), dtype=np.int64),
        np.ones(len(row), dtype=np.bool_),
    )
    none = np.zeros(len(user), dtype=np.int32)
    return Paths(
        channels=NAMES,
        advertisers=("all",),
        segments=("all",),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        touches=touches,
        end_us=np.arange(len(user)),
        conversions=chance,
        values=chance,
        weights=np.ones(len(user)),
        user=user,
        advertiser=none,
        segment=none,
    )


def rule_intervals(paths: Paths, seed: int) -> pl.DataFrame:
    """Return the intervals of even credit."""
    credit = 1 / np.maximum(np.diff(paths.offsets), 1)[paths.of_touch]
    return credit_intervals(paths, credit, seed=seed)


def reference(rng: np.random.Generator, world: World, users: int) -> Floats:
    """Return the expected rule credit of so many users."""
    rounds = REFERENCE * users // BLOCK
    total = sum(even_credit(draw_sample(rng, world, BLOCK)) for _ in range(rounds))
    return np.asarray(total * (users / (rounds * BLOCK)), dtype=np.float64)


def judge(
    sample: Sample, world: World, expected: Floats, rng: np.random.Generator
) -> dict[str, tuple[pl.Series, pl.Series, Floats]]:
    """Return low, high and truth of each kind of interval."""
    lifts = estimate_lifts(arm_counts(sample))
    causing = sample.shown.sum(axis=0) * world.effect
    realised = sample.caused.sum(axis=0).astype(np.float64)
    credit = pl.DataFrame({"campaign_id": NAMES, "credit": even_credit(sample)})
    surface = [f"surface {number % SURFACES}" for number in range(CAMPAIGNS)]
    likeness = pl.DataFrame({"campaign_id": NAMES, "surface": surface})
    every = calibrate(credit, lifts, likeness)
    half = calibrate(credit, lifts.filter(pl.col("name") < NAMES[CAMPAIGNS // 2]), likeness)
    rest = half.filter(basis="likeness")
    seed = int(rng.integers(2**31))
    sure = rule_intervals(even_paths(sample, None, rng), seed)
    unsure = rule_intervals(even_paths(sample, UNCERTAIN, rng), seed)
    return {
        "lift": (lifts["low_90"], lifts["high_90"], causing),
        "lift, as realised": (lifts["low_90"], lifts["high_90"], realised),
        "lift, shrunk": (lifts["shrunk_low"], lifts["shrunk_high"], causing),
        "calibrated credit, all with a holdout": (every["low"], every["high"], causing),
        "calibrated credit, by likeness only": (
            rest["low"], rest["high"], causing[CAMPAIGNS // 2 :],
        ),
        "rule credit": (sure["low"], sure["high"], expected),
        "rule credit, uncertain": (unsure["low"], unsure["high"], expected),
    }  # fmt: skip


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--worlds", type=int, default=40)
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--users", type=int, default=20_000)
    options = parser.parse_args()
    tallies: dict[str, Tally] = {}
    lengths: dict[str, list[Floats]] = {}
    for number in range(options.worlds):
        rng = np.random.default_rng(number)
        world = draw_world(rng)
        expected = reference(rng, world, options.users)
        for _ in range(options.samples):
            sample = draw_sample(rng, world, options.users)
            for name, (low, high, truth) in judge(sample, world, expected, rng).items():
                tallies.setdefault(name, Tally()).add(low.to_numpy(), high.to_numpy(), truth)
                half = (high - low).to_numpy() / 2 / np.maximum(truth, 1.0)
                lengths.setdefault(name, []).append(half)
    print("| 90% interval of | holds | below | above | half length |\n|---|---|---|---|---|")
    for name, tally in tallies.items():
        rows = tally.held + tally.below + tally.above
        length = float(np.median(np.concatenate(lengths[name])))
        print(
            f"| {name} | {tally.held / rows:.1%} | {tally.below / rows:.1%} "
            f"| {tally.above / rows:.1%} | {length:.2f} |"
        )


if __name__ == "__main__":
    main()
