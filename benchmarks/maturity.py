"""Simulated conversions that arrive late: the calibration ratio so far, and the maturity-aware one.

Usage: python benchmarks/maturity.py [--impressions N] [--seeds N]

Thirty days of impressions, each converting with its own known probability, 3% on average, that a
model over-predicts by a tenth. Half of the conversions come within hours, the others within days
(log-normal delays), none after two weeks. Each of the last ten days of impressions is asked for its
ratio when it is 2, 3, 5, 7, 10 and 14 days old. The delay curve is learned each time from nothing
but the conversions that had arrived by then, of all days. The final ratio counts all conversions.

``covers`` says how often the 95% interval holds the ratio of the predictions to the true rates.

The final ratio is a matter of chance too for those who see a part: with N conversions a day of
which a share F has arrived, the part tells the whole within sqrt((1 - F) / (F N)), one standard
deviation. With a million impressions a day this is .004 at two days.
"""

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import time

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.delays import DelayCurve, delay_curve
from calibration.maturity import maturity_aware_calibration_ratio
from calibration.metrics import calibration_ratio

DAYS, ASKED, AGES = 30, range(20, 30), (2, 3, 5, 7, 10, 14)
HORIZON = 14 * 24.0
RATE, OVER_PREDICTION = 0.03, 1.1
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def main() -> None:
    """Print a row for each age, over all seeds and asked days, and what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--impressions", type=int, default=1_000_000, help="a day")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    started = time.perf_counter()
    rows = [row for seed in range(options.seeds) for row in simulate(options.impressions, seed)]
    table = pl.DataFrame(rows, orient="row", schema=["age", "arrived", "naive", "aware", "covers"])
    seconds = time.perf_counter() - started
    print(
        f"{options.seeds} seeds, {options.impressions:,} impressions a day, {len(ASKED)} days asked"
    )
    print(f"({seconds:.0f} s). Errors are of the ratio, relative to the final one.")
    print()
    print("| days old | arrived | naive, least | maturity-aware, mean | largest | covers |")
    print("|---:|---:|---:|---:|---:|---:|")
    for (age,), part in table.group_by("age", maintain_order=True):
        print(
            f"| {age} | {part['arrived'].mean():.1%} | {part['naive'].min():+.1%} "
            f"| {part['aware'].mean():+.2%} | {part['aware'].abs().max():.2%} "
            f"| {part['covers'].mean():.0%} |"
        )


def simulate(impressions: int, seed: int) -> list[tuple[int, float, float, float, bool]]:
    """Return for each asked day and age what had arrived, both errors, and the interval's hit."""
    rng = np.random.default_rng(seed)
    true_rates = np.minimum(rng.gamma(2, RATE / 2, impressions), 1 / OVER_PREDICTION)
    predicted = true_rates * OVER_PREDICTION
    days = []
    for day in range(DAYS):
        made = 24 * (day + np.sort(rng.random(impressions)))
        converted = np.flatnonzero(rng.random(impressions) < true_rates)
        days.append((made, converted, delays(len(converted), rng)))
    conversions = pl.DataFrame(
        {
            "event_time": np.concatenate([made[converted] for made, converted, _ in days]),
            "delay": np.concatenate([delay for *_, delay in days]),
        }
    ).with_columns(arrival_time=pl.col("event_time") + pl.col("delay"))
    rows = []
    for now in sorted({24 * (day + 1 + age) for day in ASKED for age in AGES}):
        curve = delay_curve(
            conversions.filter(pl.col("event_time") <= now), now=now, horizon=HORIZON
        )
        asked = [(now // 24 - day - 1, day) for day in ASKED]
        rows += [
            (age, *errors(days[day], predicted, now, curve)) for age, day in asked if age in AGES
        ]
    return rows


def errors(
    day: tuple[Floats, Integers, Floats], predicted: Floats, now: float, curve: DelayCurve
) -> tuple[float, float, float, bool]:
    """Return the share arrived, both relative errors, and whether the interval holds the truth."""
    made, converted, delay = day
    final, so_far = (np.zeros(len(predicted), dtype=np.bool_) for _ in range(2))
    final[converted] = True
    so_far[converted] = made[converted] + delay <= now
    at_last = calibration_ratio(final, predicted)
    naive = calibration_ratio(so_far, predicted)
    aware = maturity_aware_calibration_ratio(so_far, predicted, age=now - made, curve=curve)
    covers = aware.low <= OVER_PREDICTION <= aware.high
    return so_far.sum() / final.sum(), naive / at_last - 1, aware.value / at_last - 1, covers


def delays(count: int, rng: np.random.Generator) -> Floats:
    """Return delays in hours: half around three hours, half around four days, up to two weeks."""
    drawn = np.empty(0)
    while len(drawn) < count:
        quick = rng.random(count) < 0.5
        hours = np.exp(np.where(quick, np.log(3), np.log(96)) + rng.normal(0, 0.8, count))
        drawn = np.concatenate([drawn, hours[hours <= HORIZON]])
    return drawn[:count]


if __name__ == "__main__":
    main()
