"""How often the intervals and bands of calibration cover what is true.

Usage: python benchmarks/band_coverage.py [--repetitions 500] [--rows 5000]
           [--bands confidence consistency smoothed bins] [--out FILE]

Scores are drawn, then outcomes at a true rate that is a known function of the score. Coverage is
counted at seven fixed points: quantiles of the distribution of scores, those of rare events among
the highest scores, of 100,000 rows. Points at which nothing is told do not count, and are left out
where that is so of half of the samples. The band is of level .95; `mean` should lie between 93 and
97%. `halfway` is how far on average the band reaches to either side. For the consistency band the
forecast is calibrated, and counted is how often the isotonic curve lies within it; for bins, how
often the interval holds the mean true rate of the rows of the bin, by tenths of the rows.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import special, stats

from calibration.bands import confidence_band, consistency_band
from calibration.binned_errors import Binning
from calibration.curves import binned_curve, smoothed_curve

Floats = npt.NDArray[np.float64]

QUANTILES: Final = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
TAIL: Final = (0.5, 0.9, 0.99, 0.999, 0.9997, 0.9999, 0.99997)
SEED: Final = 20_241


@dataclass(frozen=True)
class World:
    """Scores, and what they truly mean.

    Attributes
    ----------
    score : callable
        The quantile function of the scores.
    truth : callable
        The true rate of a score.
    weighted : bool
        Whether rows have weights, gamma distributed with mean 1 and variance one half.
    like : bool
        Whether an earlier world has the same scores.
    quantiles : tuple of float
        Of the points that are counted.
    rows : int or None
        How many a sample has; as many as asked for when None.
    """

    score: Callable[[Floats], Floats]
    truth: Callable[[Floats], Floats]
    weighted: bool = False
    like: bool = False
    quantiles: tuple[float, ...] = QUANTILES
    rows: int | None = None


def overconfident(score: Floats) -> Floats:
    """Return rates nearer to the middle than the scores."""
    return np.asarray(special.expit(0.5 * special.logit(score)))


def sharpened(score: Floats) -> Floats:
    """Return rates farther from the middle than the scores."""
    return np.asarray(special.expit(1.8 * special.logit(score) + 0.3))


def overstated(score: Floats) -> Floats:
    """Return rates that are two thirds of the scores."""
    return score / 1.5


def stepped(score: Floats) -> Floats:
    """Return rates that rise, stay, and rise again."""
    return np.asarray(np.interp(score, [0, 0.35, 0.65, 1], [0.05, 0.45, 0.45, 0.95]))


def lowered(score: Floats) -> Floats:
    """Return rates whose log-odds are a fifth lower than those of the scores."""
    return np.asarray(special.expit(special.logit(score) - 0.2))


def _rare(share: Floats) -> Floats:
    """Return scores of a mean of .3%."""
    return np.asarray(special.expit(-6.5 + 1.2 * special.ndtri(share)))


def _beta(a: float, b: float) -> Callable[[Floats], Floats]:
    return lambda share: np.asarray(stats.beta.ppf(share, a, b))


def _rounded(step: float) -> Callable[[Floats], Floats]:
    return lambda share: np.round(stats.beta.ppf(share, 2, 2) / step) * step


WORLDS: Final = {
    "overconfident": World(_beta(1, 1), overconfident),
    "sharpened": World(_beta(2, 2), sharpened),
    "overstated, base rate 6%": World(_beta(1, 10), overstated),
    "overstated, base rate 1%": World(_beta(2, 130), overstated),
    "flat in the middle": World(_beta(2, 2), stepped, like=True),
    "20 distinct scores": World(_rounded(0.05), overconfident),
    "weighted rows": World(_beta(2, 2), overconfident, weighted=True),
    "rare events": World(_rare, lowered, quantiles=TAIL, rows=100_000),
}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--bands", nargs="+", choices=BANDS, default=list(BANDS))
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    started = time.perf_counter()
    lines = [
        f"{chosen.repetitions} repetitions of {chosen.rows:,} rows; seed {SEED}.",
        "",
    ]
    for quantiles in (QUANTILES, TAIL):
        lines += _head(quantiles)
        for band in chosen.bands:
            for name, world in WORLDS.items():
                if world.quantiles != quantiles or (band == "consistency" and world.like):
                    continue  # calibrated, it would be the same again
                rows = world.rows or chosen.rows
                lines.append(
                    _row(band, name, *_coverage(BANDS[band], world, rows, chosen.repetitions))
                )
    lines += ["", f"{time.perf_counter() - started:.0f} s."]
    print("\n".join(lines))
    if chosen.out:
        chosen.out.write_text("\n".join(lines) + "\n")


def _head(quantiles: tuple[float, ...]) -> list[str]:
    points = " | ".join(f"{100 * share:g}%" for share in quantiles)
    return [
        "",
        f"| band | data | mean | {points} | halfway |",
        "|---|---|" + "---:|" * (len(quantiles) + 2),
    ]


def _row(band: str, name: str, covered: Floats, reach: float) -> str:
    points = " | ".join("" if np.isnan(share) else f"{share:.1%}" for share in covered)
    return f"| {band} | {name} | **{np.nanmean(covered):.1%}** | {points} | {reach:.4f} |"


def _coverage(
    cover: Callable[..., tuple[Floats, float]],
    world: World,
    rows: int,
    repetitions: int,
) -> tuple[Floats, float]:
    """Return how often each point is covered, and how far the bands reach on average."""
    generator = np.random.default_rng(SEED)
    points = world.score(np.array(world.quantiles))
    covered, reach = zip(
        *(cover(world, rows, points, generator) for _ in range(repetitions)), strict=True
    )
    told = np.isfinite(covered)
    hits = np.where(told, covered, 0).sum(axis=0)
    # a point that is seldom told has no share to tell
    shares = np.where(told.mean(axis=0) > 0.5, hits / np.maximum(told.sum(axis=0), 1), np.nan)
    return shares, float(np.nanmean(reach))


def _drawn(world: World, rows: int, generator: np.random.Generator) -> tuple[Floats, Floats | None]:
    score = world.score(generator.random(rows))
    return score, generator.gamma(2, 0.5, rows) if world.weighted else None


def _confidence(
    world: World, rows: int, points: Floats, generator: np.random.Generator
) -> tuple[Floats, float]:
    score, weight = _drawn(world, rows, generator)
    happened = generator.random(rows) < world.truth(score)
    return _holds(
        confidence_band(happened, score, weight=weight, points=points), world.truth(points)
    )


def _smoothed(
    world: World, rows: int, points: Floats, generator: np.random.Generator
) -> tuple[Floats, float]:
    score, weight = _drawn(world, rows, generator)
    happened = generator.random(rows) < world.truth(score)
    return _holds(
        smoothed_curve(happened, score, weight=weight, points=points), world.truth(points)
    )


def _consistency(
    world: World, rows: int, points: Floats, generator: np.random.Generator
) -> tuple[Floats, float]:
    score, weight = _drawn(world, rows, generator)
    happened = generator.random(rows) < score
    seed = int(generator.integers(2**31))
    band = consistency_band(happened, score, weight=weight, points=points, resamples=399, seed=seed)
    return _holds(band, band["rate"].to_numpy())


def _bins(
    world: World, rows: int, points: Floats, generator: np.random.Generator
) -> tuple[Floats, float]:
    """Return of the bins around the points whether they hold the mean true rate of their rows."""
    score, weight = _drawn(world, rows, generator)
    happened = generator.random(rows) < world.truth(score)
    curve = binned_curve(happened, score, weight=weight, bins=10, binning=Binning.EQUAL_MASS)
    place = np.searchsorted(curve["lowest"].to_numpy(), score, side="right") - 1
    weights = np.ones(rows) if weight is None else weight
    means = np.bincount(place, weights * world.truth(score)) / np.bincount(place, weights)
    around = np.searchsorted(curve["highest"].to_numpy(), points).clip(max=len(curve) - 1)
    return _holds(curve[around], means[around])


def _holds(band: pl.DataFrame, truth: Floats) -> tuple[Floats, float]:
    low, high = band["low"].to_numpy(), band["high"].to_numpy()
    covered = np.where(np.isnan(low), np.nan, (low <= truth) & (truth <= high))
    return covered, float(np.nanmean(high - low)) / 2


BANDS: Final = {
    "confidence": _confidence,
    "consistency": _consistency,
    "smoothed": _smoothed,
    "bins": _bins,
}

if __name__ == "__main__":
    main()
