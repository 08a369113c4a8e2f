"""How likely the last touch caused the conversion, estimated from randomised holdouts.

Plain last touch gives a campaign every conversion that it came last before, also those that would
have happened anyway. Control rows, logged where an impression was withheld, show how many would
have: each is a touch that caused nothing, but would have come last all the same. Such withheld
touches are those of the ghost ads of Johnson, Lewis and Nubbemeyer (Journal of Marketing Research
2017). ``touch_mixture`` says how rates follow from them. What a campaign earns in all is the mean
of that and of ``opportunity_mixture``, a second reading that does not look at who clicked: each
assumes what the other does not, and their mean is nearer to the truth of simulated worlds.

Without control rows the rates follow from how soon conversions come after a touch, which is a
weaker estimate; ``basis`` says so.
"""

from bisect import bisect_left
from enum import StrEnum
from itertools import pairwise
from typing import Final

import numpy as np
import polars as pl

from attribution.conversions import HOUR_US
from attribution.holdouts.opportunity_mixture import OpportunityCounts, caused_conversions
from attribution.holdouts.touch_mixture import (
    Counts,
    Floats,
    holdout_rates,
    meet,
    order,
    recency_rates,
)
from warehouse.attribution_config import TouchKind

RECENCY_BINS: Final = (
    HOUR_US // 2,
    *(HOUR_US * hours for hours in (3, 12, 24, 48, 72, 96, 7 * 24, 14 * 24, 30 * 24, 90 * 24)),
)
"""Greatest age of a touch in each bin, in microseconds; the edge counts."""

ANY_CAMPAIGN: Final = ""
"""Stands in the rates for every campaign that has no rows of its own."""

_KINDS: Final = (TouchKind.CLICK, TouchKind.ENGAGED_VIEW, TouchKind.IMPRESSION)
_FEW_CONTROLS: Final = 30  # with so many control conversions the two estimates weigh the same
_CELL: Final = ("campaign_id", "kind", "recency", "path", "conversions")
_OFFERED: Final = ("campaign_id", "arm", "recency", "conversions")
_RATE_SCHEMA: Final = {
    "campaign_id": pl.String,
    "kind": pl.String,
    "recency": pl.Int32,
    "path": pl.String,
    "permille": pl.Int32,
    "basis": pl.String,
}


class Path(StrEnum):
    """What else stands in the path of the last touch."""

    ALONE = "alone"  # eligible touches of its own campaign only
    SHARED = "shared"  # and one of another campaign at least


class Basis(StrEnum):
    """What a rate was estimated from."""

    HOLDOUT = "holdout"  # control rows, the campaign's own among them
    POOLED = "pooled"  # control rows of other campaigns; this one withholds nothing
    RECENCY = "recency"  # how soon conversions follow: there are no or too few control rows


def recency_of(lag_us: int) -> int:
    """Return the bin of the time from a touch to the conversion; 1 is the shortest."""
    return min(bisect_left(RECENCY_BINS, lag_us), len(RECENCY_BINS) - 1) + 1


def recency_bins() -> pl.DataFrame:
    """Return the bins to join with: recency, above_us (not included) and most_us (included)."""
    edges = pairwise((-1, *RECENCY_BINS[:-1], np.iinfo(np.int64).max))
    rows = [(recency, *edge) for recency, edge in enumerate(edges, start=1)]
    schema = {"recency": pl.Int32, "above_us": pl.Int64, "most_us": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def estimate_rates(
    touched: pl.DataFrame, ghosts: pl.DataFrame, lifts: pl.DataFrame, exposures: pl.DataFrame
) -> pl.DataFrame:
    """Return the probability, in permille, that the last touch caused the conversion.

    Only conversions whose user is known by another identifier than click_id may be counted: who
    saw an ad has more click ids, so that a match by them depends on the arm.

    Parameters
    ----------
    touched : DataFrame
        campaign_id, kind, recency, path, conversions: conversions by their last touch.
    ghosts : DataFrame
        The same columns: conversions of control users of the campaign whose last touch would have
        been its latest ad withheld, had that been shown (and viewed, or clicked). One conversion
        counts under each kind as which it would have come last.
    lifts : DataFrame
        campaign_id, arm (treatment, control), recency, conversions: those with an opportunity of
        the campaign within the longest window, by the age of the latest.
    exposures : DataFrame
        campaign_id (once each), advertiser_id, treated_users, control_users (those with an
        opportunity, once each or once a day: only their ratio counts), and clicks, engaged_views,
        impressions: valid touches of treated users.

    Returns
    -------
    DataFrame
        campaign_id, kind, recency, path, permille, basis: every cell of every campaign of
        `exposures`, and of :data:`ANY_CAMPAIGN`, which stands for all others. Within a campaign,
        kind and path the rate does not rise with recency.
    """
    exposures = exposures.sort("campaign_id")
    counts = _count(touched, ghosts, lifts, exposures)
    width = np.diff(np.array([0, *RECENCY_BINS], dtype=np.float64))
    plain = np.broadcast_to(recency_rates(counts.touched, width), counts.touched.shape)
    controls = float(counts.lift[:, 1].sum())
    trust = controls / (controls + _FEW_CONTROLS) if counts.ghosts.any() else 0.0
    rates = trust * _by_holdouts(counts, controls) + (1 - trust) * plain if trust else plain
    names = exposures["campaign_id"].to_list()
    if controls < _FEW_CONTROLS or not trust:
        basis = [Basis.RECENCY] * (len(names) + 1)
    else:
        held = np.isfinite(counts.odds)
        basis = [Basis.POOLED, *(Basis.HOLDOUT if own else Basis.POOLED for own in held)]
    every = np.concatenate([_mean_rates(rates, counts.touched), rates])
    return _write([ANY_CAMPAIGN, *names], basis, every)


def _by_holdouts(counts: Counts, controls: float) -> Floats:
    rates = holdout_rates(counts)
    if controls < _FEW_CONTROLS:
        return rates
    earned = (counts.touched * rates).sum(axis=(1, 2, 3))
    treated, control = counts.offered[:, 0], counts.offered[:, 1]
    caused = caused_conversions(
        OpportunityCounts(treated, control, counts.odds, counts.touches, counts.advertiser)
    )
    return meet(rates, counts.touched, (earned + caused) / 2)


def _count(
    touched: pl.DataFrame, ghosts: pl.DataFrame, lifts: pl.DataFrame, exposures: pl.DataFrame
) -> Counts:
    """Return the frames' counts as arrays, in an order that theirs has no part in."""
    place = {name: row for row, name in enumerate(exposures["campaign_id"])}
    offered = np.zeros((len(place), 2, len(RECENCY_BINS)))
    for name, arm, recency, conversions in lifts.select(_OFFERED).iter_rows():
        if name in place:
            offered[place[name], int(arm == "control"), recency - 1] += conversions
    advertisers = exposures["advertiser_id"].rank("dense").cast(pl.Int64) - 1
    return Counts(
        touched=_cells(touched, place),
        ghosts=_cells(ghosts, place),
        touches=_columns(exposures, "clicks", "engaged_views", "impressions"),
        users=_columns(exposures, "treated_users", "control_users"),
        offered=offered,
        advertiser=advertisers.to_numpy(),
    )


def _cells(frame: pl.DataFrame, place: dict[str, int]) -> Floats:
    """Return conversions by campaign, kind, age and path."""
    cells = np.zeros((len(place), len(_KINDS), len(RECENCY_BINS), len(Path)))
    kinds, paths = list(_KINDS), list(Path)
    for name, kind, recency, path, conversions in frame.select(_CELL).iter_rows():
        if name in place:
            cells[place[name], kinds.index(kind), recency - 1, paths.index(path)] += conversions
    return cells


def _columns(frame: pl.DataFrame, *names: str) -> Floats:
    return frame.select(names).cast(pl.Float64).to_numpy()


def _mean_rates(rates: Floats, touched: Floats) -> Floats:
    """Return the rates of all campaigns together, as of one campaign."""
    together = touched.sum(axis=0, keepdims=True)
    earned = (touched * rates).sum(axis=0, keepdims=True)
    mean = np.divide(earned, together, out=np.zeros(together.shape), where=together > 0)
    return order(mean, together)


def _write(names: list[str], basis: list[Basis], rates: Floats) -> pl.DataFrame:
    permille = np.rint(1000 * rates).astype(np.int64).tolist()
    paths = tuple(Path)
    rows = [
        (name, kind, recency, path, value, estimated_from)
        for name, estimated_from, kinds in zip(names, basis, permille, strict=True)
        for kind, ages in zip(_KINDS, kinds, strict=True)
        for recency, values in enumerate(ages, start=1)
        for path, value in zip(paths, values, strict=True)
    ]
    return pl.DataFrame(rows, schema=_RATE_SCHEMA, orient="row")
