"""Time and memory of fitting each model at 1, 4 and 16 times the data.

Usage: python benchmarks/fitted_models.py [--models NAME ...] [--touches N]

The touches are drawn: users meet with ads of 24 campaigns of six advertisers over seven days, a
tenth is held out of each campaign, one ad in fifteen is clicked and one in seven viewed, and three
conversions come for a hundred touches, half of them soon after a touch. Each model and size is
fitted in a process of its own, on one core; ``of a core`` is what it took of it while others
were busy too. The peak counts the drawing as well.
"""

import argparse
import os

os.environ["OMP_NUM_THREADS"] = "1"  # before numpy is imported

import json
import sys
import time
from typing import Final

import numpy as np
from measure import measured

from attribution.histories import Histories
from attribution.learned.models import LEARNED
from attribution.paths import KINDS, Touches
from warehouse.attribution_config import Model

CAMPAIGNS, ADVERTISERS, SEGMENTS, DAYS = 24, 6, 4, 7
HOUR_US: Final = 3_600_000_000
END_US: Final = DAYS * 24 * HOUR_US


def main() -> None:
    """Print a row for each model and size, or fit one when asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    names = [str(name) for name in LEARNED]
    parser.add_argument("--models", nargs="+", choices=names, default=names)
    parser.add_argument("--touches", type=int, default=5_000_000, help="of the largest size")
    parser.add_argument("--only", action="store_true", help="fit one and print what it took")
    options = parser.parse_args()
    if options.only:
        print(json.dumps(fit(options.models[0], options.touches)))
        return
    print("| model | touches | conversions | fit, s | of a core, s | credit, s | peak, GiB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name in options.models:
        for size in (options.touches // 16, options.touches // 4, options.touches):
            told = ["--only", "--models", name, "--touches", str(size)]
            run = measured([sys.executable, __file__, *told])
            row = json.loads(run.output)
            print(
                f"| {name} | {row['touches']:,} | {row['conversions']:,} | {row['fit']:.1f} "
                f"| {row['core']:.1f} | {row['credit']:.1f} | {run.peak_gib:.2f} |",
                flush=True,
            )


def fit(name: str, touches: int) -> dict[str, float]:
    """Fit a model on about so many touches, and return what it took."""
    histories = drawn(touches)
    started, busy = time.perf_counter(), time.process_time()
    model = LEARNED[Model(name)].fit(histories)
    fitted, worked = time.perf_counter(), time.process_time()
    model.credit(histories.paths())
    return {
        "touches": len(histories.touches),
        "conversions": len(histories.conversion_us),
        "fit": fitted - started,
        "core": worked - busy,
        "credit": time.perf_counter() - fitted,
    }


def drawn(touches: int, *, seed: int = 1) -> Histories:
    """Draw histories of about so many touches, two or so each."""
    random = np.random.default_rng(seed)
    ads = int(touches / (1 + 0.9 * (1 / 15 + 1 / 7)))
    number = max(ads // 2, 1)
    owner = np.sort(random.integers(0, number, ads))
    each = CAMPAIGNS // ADVERTISERS
    channel = owner % ADVERTISERS * each + random.integers(0, each, ads)
    shown = (owner * 7919 + channel * 104_729) % 10 > 0
    time_us = random.integers(0, END_US, ads)
    deed = random.random(ads)
    kind = np.full(ads, KINDS.index("impression"))
    for name, chosen in (("click", deed < 1 / 15), ("engaged_view", deed > 6 / 7)):
        rows = np.flatnonzero(chosen & shown[:ads])
        owner, channel, shown = (
            np.concatenate([column, column[rows]]) for column in (owner, channel, shown)
        )
        kind = np.concatenate([kind, np.full(len(rows), KINDS.index(name))])
        time_us = np.concatenate([time_us, np.minimum(time_us[rows] + 20_000_000, END_US - 1)])
    order = np.lexsort((kind, time_us, owner))
    touch = random.integers(0, len(owner), len(owner) * 3 // 100)
    delay = random.exponential(np.where(random.random(len(touch)) < 0.5, 2.0, 72.0)) * HOUR_US
    when = np.minimum(time_us[touch] + delay, END_US - 1).astype(np.int64)
    place = np.lexsort((when, owner[touch]))
    return Histories(
        channels=tuple(f"campaign {row:02}" for row in range(CAMPAIGNS)),
        advertisers=tuple(f"advertiser {row}" for row in range(ADVERTISERS)),
        segments=tuple(f"segment {row}" for row in range(SEGMENTS)),
        advertiser_of=(np.arange(CAMPAIGNS) // each).astype(np.int32),
        user=np.arange(number),
        advertiser=(np.arange(number) % ADVERTISERS).astype(np.int32),
        segment=random.integers(0, SEGMENTS, number).astype(np.int32),
        weights=np.ones(number),
        start_us=0,
        end_us=END_US,
        touches=Touches(
            channel[order].astype(np.int32),
            kind[order].astype(np.int32),
            time_us[order],
            shown[order],
        ),
        touch_history=owner[order],
        conversion_us=when[place],
        conversion_history=owner[touch][place],
        probability=np.ones(len(touch)),
        value=np.ones(len(touch)),
    )


if __name__ == "__main__":
    main()
