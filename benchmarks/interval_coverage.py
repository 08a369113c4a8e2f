"""How often 95% intervals of calibration metrics hold the true value, on data where it is known.

Usage: python benchmarks/interval_coverage.py [--repetitions N] [--resamples N] [--sizes N ...]
           [--metrics NAME ...]

Probabilities are Beta distributed; the true probability is another, a distorted one: too extreme,
too low on the whole, and shifted by segment. Rows are independent, or come in clusters of eight
within which probabilities and outcomes are correlated (Gaussian copulas, 0.5 and 0.3).

The true value of a metric is the metric of the distribution itself: of 200,000 even quantiles of
the probability in each segment, each as an event and a non-event that weigh what they are probable.
A column is the share of intervals that hold it, and in brackets how many lie below and above it,
in percent. By chance a share over 500 repetitions of 95% intervals is within 93.1% and 96.9%.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, logit, ndtr
from scipy.stats import beta

from calibration import binned_errors, brier, field_errors, metrics, recalibration, smooth_error
from calibration.binned_errors import Binning
from calibration.intervals import Interval, bootstrap, bootstrap_fields

SIZES: Final = (2_000, 10_000)
CLUSTER: Final = 8
SHIFTS: Final = np.linspace(-0.5, 0.5, 8)
QUANTILES: Final = 200_000
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Rows of one sample, or of the distribution itself with weights."""

    y_true: npt.NDArray[np.bool_]
    y_prob: Floats
    segment: npt.NDArray[np.int64]
    weight: Floats | None = None
    clusters: npt.NDArray[np.int64] | None = None

    def frame(self) -> pl.DataFrame:
        """Return the rows as a frame."""
        columns = {"y_true": self.y_true, "y_prob": self.y_prob, "segment": self.segment}
        further = {"weight": self.weight, "cluster": self.clusters}
        return pl.DataFrame(columns | {k: v for k, v in further.items() if v is not None})


def true_probability(probability: Floats, segment: npt.NDArray[np.int64]) -> Floats:
    """Return what the probability should have been."""
    result: Floats = expit(-0.35 + 0.65 * logit(probability) + SHIFTS[segment])
    return result


def quantiles() -> Floats:
    """Return even quantiles of the probabilities."""
    result: Floats = beta.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES, 1.2, 4)
    return result


def population() -> Rows:
    """Return the distribution as weighted rows."""
    probability = np.tile(quantiles(), len(SHIFTS))
    segment = np.repeat(np.arange(len(SHIFTS)), QUANTILES)
    rate = true_probability(probability, segment)
    happened = np.repeat([True, False], len(rate))
    weight = np.concatenate((rate, 1 - rate))
    return Rows(happened, np.tile(probability, 2), np.tile(segment, 2), weight)


def draw(values: Floats, size: int, clustered: bool, generator: np.random.Generator) -> Rows:
    """Return a sample."""
    segment = generator.integers(0, len(SHIFTS), size)
    clusters = np.arange(size) // CLUSTER if clustered else None
    first, second = (_uniform(size, clusters, shared, generator) for shared in (0.5, 0.3))
    probability = values[(first * QUANTILES).astype(np.int64)]
    happened = second < true_probability(probability, segment)
    return Rows(happened, probability, segment, clusters=clusters)


def _uniform(
    size: int, clusters: npt.NDArray[np.int64] | None, shared: float, generator: np.random.Generator
) -> Floats:
    if clusters is None:
        return generator.random(size)
    of_cluster = generator.standard_normal(int(clusters[-1]) + 1)[clusters]
    own = generator.standard_normal(size)
    uniform: Floats = ndtr(shared**0.5 * of_cluster + (1 - shared) ** 0.5 * own)
    return np.minimum(uniform, 1 - 1e-12)


_CELL: Final = partial(brier.brier_decomposition, by=10)
_MAXIMUM: Final = binned_errors.maximum_calibration_error
FIGURES: Final[dict[str, tuple[Callable[..., Any], str | None]]] = {
    "calibration_ratio": (metrics.calibration_ratio, None),
    "log_loss": (metrics.log_loss, None),
    "normalised_entropy": (metrics.normalised_entropy, None),
    "brier_score": (metrics.brier_score, None),
    "reliability (isotonic)": (brier.brier_decomposition, "reliability"),
    "resolution (isotonic)": (brier.brier_decomposition, "resolution"),
    "uncertainty": (brier.brier_decomposition, "uncertainty"),
    "reliability (10 bins)": (_CELL, "reliability"),
    "resolution (10 bins)": (_CELL, "resolution"),
    "expected_calibration_error": (binned_errors.expected_calibration_error, None),
    "adaptive_calibration_error": (binned_errors.adaptive_calibration_error, None),
    "maximum_calibration_error (width)": (partial(_MAXIMUM, bins=5), None),
    "maximum_calibration_error (mass)": (partial(_MAXIMUM, binning=Binning.EQUAL_MASS), None),
    "smooth_calibration_error": (smooth_error.smooth_calibration_error, None),
    "recalibration intercept": (recalibration.logistic_recalibration, "intercept"),
    "recalibration slope": (recalibration.logistic_recalibration, "slope"),
    "calibration_in_the_large": (recalibration.calibration_in_the_large, "intercept"),
    "Field-ECE": (field_errors.field_calibration_error, "expected"),
    "Field-RCE": (field_errors.field_calibration_error, "relative"),
}


def truth(name: str, rows: Rows) -> float:
    """Return the true value of a figure."""
    metric, part = FIGURES[name]
    if metric is field_errors.field_calibration_error:
        result = metric(rows.frame(), by="segment", weight="weight")
    else:
        result = metric(rows.y_true, rows.y_prob, weight=rows.weight)
    return float(result if part is None else getattr(result, part))


def interval(name: str, rows: Rows, resamples: int, seed: int) -> Interval:
    """Return the interval of a figure of a sample."""
    metric, part = FIGURES[name]
    told = {"repetitions": resamples, "seed": seed}
    if metric is field_errors.field_calibration_error:
        clusters = None if rows.clusters is None else "cluster"
        return bootstrap_fields(
            rows.frame(), by="segment", part=str(part), clusters=clusters, **told
        )
    return bootstrap(metric, rows.y_true, rows.y_prob, clusters=rows.clusters, part=part, **told)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--metrics", nargs="+", choices=FIGURES, default=list(FIGURES))
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    whole, values = population(), quantiles()
    known = {name: truth(name, whole) for name in told.metrics}
    settings = [(size, clustered) for size in told.sizes for clustered in (False, True)]
    misses = {name: np.zeros((len(settings), 2), dtype=np.int64) for name in told.metrics}
    began = time.perf_counter()
    spent = dict.fromkeys(told.metrics, 0.0)
    for repetition in range(told.repetitions):
        for place, (size, clustered) in enumerate(settings):
            generator = np.random.default_rng([told.seed, repetition, place])
            rows = draw(values, size, clustered, generator)
            for name, value in known.items():
                start = time.perf_counter()
                found = interval(name, rows, told.resamples, repetition)
                spent[name] += time.perf_counter() - start
                misses[name][place] += (found.high < value, found.low > value)
    heads = [f"{size:,} {'clustered' if clustered else 'rows'}" for size, clustered in settings]
    print(f"| figure | true value | {' | '.join(heads)} | seconds |")
    print(f"|---|---:|{'---:|' * (len(heads) + 1)}")
    for name, counts in misses.items():
        shares = 100 * counts / told.repetitions
        cells = (f"{100 - a - b:.1f} ({a:.1f}, {b:.1f})" for a, b in shares)
        print(f"| {name} | {known[name]:.5f} | {' | '.join(cells)} | {spent[name]:.0f} |")
    print(
        f"{told.repetitions} repetitions of {told.resamples} resamples, "
        f"{time.perf_counter() - began:.0f} s",
        file=sys.stderr,
    )


if __name__ == "__main__":
    main()
