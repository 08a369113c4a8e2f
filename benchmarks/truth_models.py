"""Models that benchmarks/attribution_truth.py judges: rules, and credit by what is fitted.

Rules stand here a second time, plain and over arrays, for a world's histories need no warehouse.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import polars as pl

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.holdouts.calibrated_touch import RECENCY_BINS
from attribution.holdouts.evidence import read_evidence
from attribution.holdouts.touch_mixture import recency_rates
from attribution.learned.counterfactual import CounterfactualModel
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.markov import MarkovModel
from attribution.learned.shapley import ShapleyModel
from attribution.paths import KINDS, Floats, Integers, Paths

WINDOWS_US: Final = np.array([7 * 24, 24, 24]) * HOUR_US  # of each of KINDS
HALF_LIFE_US: Final = 7 * 24 * HOUR_US
ENDS: Final = 0.4  # what position based gives to the first touch, and to the last
BLIND: Final = "hazard, not told of holdouts"
Rule = Callable[[Paths], Floats]
Named = tuple[str, Floats]


def eligible(histories: Histories) -> Paths:
    """Return for each conversion the touches that the platform preset lets stand."""
    touches, count = histories.touches, len(histories.conversion_us)
    rows = pl.DataFrame(
        {
            "history": histories.touch_history,
            "row": np.arange(len(touches)),
            "time_us": touches.time_us,
            "window_us": WINDOWS_US[touches.kind],
            "shown": touches.shown,
        }
    ).filter("shown")
    won = pl.DataFrame(
        {
            "history": histories.conversion_history,
            "path": np.arange(count),
            "won_us": histories.conversion_us,
        }
    )
    lag = pl.col("won_us") - pl.col("time_us")
    found = rows.join(won, on="history").filter((lag >= 0) & (lag <= pl.col("window_us")))
    found = found.sort("path", "time_us", "row")
    lengths = np.bincount(found["path"].to_numpy(), minlength=count)
    owner = histories.conversion_history
    return Paths(
        channels=histories.channels,
        advertisers=histories.advertisers,
        segments=histories.segments,
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        touches=touches.take(found["row"].to_numpy()),
        end_us=histories.conversion_us,
        conversions=histories.probability,
        values=histories.value,
        weights=histories.weights[owner],
        user=histories.user[owner],
        advertiser=histories.advertiser[owner],
        segment=histories.segment[owner],
    )


def strongest(paths: Paths, *, kinds: int = len(KINDS)) -> Floats:
    """Give all to the last touch of the strongest kind, of the first so many kinds."""
    path, strength = paths.of_touch, paths.touches.kind.astype(np.int64)
    order = np.lexsort((-np.arange(len(path)), -paths.touches.time_us, strength, path))
    order = order[strength[order] < kinds]
    is_first = np.diff(path[order], prepend=-1) > 0
    credit = np.zeros(len(path))
    credit[order[is_first]] = 1.0
    return credit


def place(paths: Paths) -> tuple[Integers, Integers]:
    """Return the place of each touch in its path, from 0, and how many the path has."""
    lengths = np.diff(paths.offsets)[paths.of_touch]
    return np.arange(len(lengths)) - paths.offsets[:-1][paths.of_touch], lengths


def first(paths: Paths) -> Floats:
    """Give all to the first touch."""
    return (place(paths)[0] == 0).astype(np.float64)


def linear(paths: Paths) -> Floats:
    """Give all touches the same."""
    return np.asarray(1 / place(paths)[1])


def decayed(paths: Paths) -> Floats:
    """Give a touch half as much for each week that it is older."""
    weight = 0.5 ** (paths.age_us / HALF_LIFE_US)
    whole = np.bincount(paths.of_touch, weight, minlength=len(paths))
    return np.asarray(weight / whole[paths.of_touch])


def positioned(paths: Paths) -> Floats:
    """Give 40% to the first and the last touch each, and the rest to those between."""
    nth, lengths = place(paths)
    is_end = (nth == 0) | (nth == lengths - 1)
    between = (1 - 2 * ENDS) / np.maximum(lengths - 2, 1)
    ends = np.select([lengths == 1, lengths == 2], [1.0, 0.5], ENDS)
    return np.asarray(np.where(is_end, ends, between))


def by_channel(paths: Paths, credit: Floats) -> Floats:
    """Return the conversions that each campaign is credited with."""
    worth = (paths.conversions * paths.weights)[paths.of_touch]
    return np.bincount(paths.touches.channel, credit * worth, minlength=len(paths.channels))


def by_paths(histories: Histories, paths: Paths) -> Iterator[Named]:
    """Yield credit by removal effects at order 1, and by Shapley values."""
    yield "markov", by_channel(paths, MarkovModel.fit(histories).credit(paths))
    yield "shapley", by_channel(paths, ShapleyModel.fit(histories).credit(paths))


def by_hazard(histories: Histories, paths: Paths) -> Iterator[Named]:
    """Yield credit by the additive hazard, and what it expects touches to cause."""
    hazard = AdditiveHazard.fit(histories)
    yield "hazard", by_channel(paths, hazard.credit(paths))
    yield "hazard, expected", hazard.incremental_by_channel(histories)


def by_blind_hazard(histories: Histories, paths: Paths) -> Iterator[Named]:
    """Yield credit by the additive hazard when it is not told of withheld ads, if there are any."""
    shown = np.flatnonzero(histories.touches.shown)
    if len(shown) < len(histories.touches):
        touches, owner = histories.touches.take(shown), histories.touch_history[shown]
        blind = AdditiveHazard.fit(replace(histories, touches=touches, touch_history=owner))
        yield BLIND, by_channel(paths, blind.credit(paths))


def by_counterfactual(histories: Histories, paths: Paths) -> Iterator[Named]:
    """Yield credit by the counterfactual model."""
    yield "counterfactual", by_channel(paths, CounterfactualModel.fit(histories).credit(paths))


def by_recency(histories: Histories, _paths: Paths) -> Iterator[Named]:
    """Yield credit of last touches by how soon conversions follow, without holdouts."""
    touched = read_evidence(histories).last_touches().touched
    width = np.diff(np.array([0, *RECENCY_BINS], dtype=np.float64))
    yield "recency", (touched * recency_rates(touched, width)).sum(axis=(1, 2, 3))


RULES: Final[dict[str, Rule]] = {
    "last_touch": strongest,
    "last_click": lambda paths: strongest(paths, kinds=1),
    "first_touch": first,
    "linear": linear,
    "time_decay": decayed,
    "position_based": positioned,
}
"""Rules by name; each gives the share of a conversion that each touch of its path earns."""
LEARNED: Final = (by_paths, by_hazard, by_blind_hazard, by_counterfactual, by_recency)
"""Models that are fitted; each yields names and credit by campaign."""
