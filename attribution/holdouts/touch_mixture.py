"""Conversions by their last touch as a mixture of caused and baseline, told apart by holdouts.

The conversions of a campaign whose last touch is of a kind and an age are two Poisson counts:

- caused: touches of the kind, by a curve of the kind over age, by a factor of the campaign;
- baseline: a level of the campaign and kind, by a curve of the kind over age. Ghosts, conversions
  whose last touch an ad withheld would have been, are counts of it alone, up to the share of users
  held out and how often an ad of the campaign is viewed or clicked.

Expectation and maximisation (Dempster, Laird and Rubin 1977) fit both; the campaign's factor is
shrunk towards its advertiser's and that towards 1. The rate of a cell is its caused part.

Assumed: who buys anyway clicks as often as others who see the ad; a campaign that works twice as
well does so for every kind of touch.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

_ROUNDS: Final = 200
_FACTOR_CONVERSIONS: Final = 4.0  # a factor of 1 is believed like so many caused conversions
_RATE_ROWS: Final = 20.0  # and the common odds and click rates like so many users or impressions
_LIFT_SPREAD: Final = 0.06  # of the conversions touched: how far caused ones may lie from the lift
_CELLS: Final = (2, 3)  # the axes of age and path


@dataclass(frozen=True)
class Counts:
    """Counts of conversions, users and touches; the first axis is always the campaign.

    Attributes
    ----------
    touched, ghosts : ndarray of shape (campaigns, kinds, ages, paths)
        Conversions by their last touch, and those of control users by what it would have been.
    touches : ndarray of shape (campaigns, kinds)
        Touches of treated users; impressions are the last kind.
    users : ndarray of shape (campaigns, 2)
        Treated and control users.
    offered : ndarray of shape (campaigns, 2, ages)
        Conversions of treated and control users by the age of the campaign's latest opportunity.
    advertiser : ndarray of shape (campaigns,)
        Number of the advertiser.
    """

    touched: Floats
    ghosts: Floats
    touches: Floats
    users: Floats
    offered: Floats
    advertiser: Ints

    @property
    def lift(self) -> Floats:
        """Conversions of treated and control users within the longest window, (campaigns, 2)."""
        return np.asarray(self.offered.sum(axis=2))

    @cached_property
    def odds(self) -> Floats:
        """Treated users for each control user; infinite where only one of both arms is there."""
        treated, control = self.users.T
        held = (control > 0) & (treated > 0)
        common = treated[held].sum() / max(control[held].sum(), 1.0)
        odds = (treated + _RATE_ROWS * common) / (control + _RATE_ROWS)
        return np.asarray(np.where(held, odds, np.inf))

    @cached_property
    def ghosts_each(self) -> Floats:
        """Ghosts for each baseline conversion, by campaign and kind.

        Few users are held out, but every ad withheld stands in for the few that are clicked.
        """
        shown = self.touches[:, [-1]]
        common = self.touches.sum(axis=0) / max(shown.sum(), 1.0)
        follow = (self.touches[:, :-1] + _RATE_ROWS * common[:-1]) / (shown + _RATE_ROWS)
        rate = np.column_stack([follow, 1 - follow.sum(axis=1)])
        return np.asarray(1 / (self.odds[:, None] * np.clip(rate, 0.001, 1.0)))


def recency_rates(touched: Floats, width: Floats) -> Floats:
    """Return rates of each kind, age and path without holdouts: a weaker estimate.

    Conversions an hour at the end of the window, where an effect has faded, stand for the baseline
    of all ages: a comparison of a touch with itself later. It overstates where people buy soon
    after an ad because they were shopping anyway.

    Parameters
    ----------
    touched : ndarray of shape (campaigns, kinds, ages, paths)
        Conversions by their last touch.
    width : ndarray of shape (ages,)
        How long each age lasts.
    """
    by_age = touched.sum(axis=(0, 3))
    rates = np.zeros(by_age.shape)
    for kind, conversions in enumerate(by_age):
        seen = np.flatnonzero(conversions)
        if len(seen):
            pace = conversions[seen] / width[seen]
            excess = 1 - np.minimum(pace[-1] / pace, 1.0)
            rates[kind] = _falling(excess, conversions[seen], seen, len(width))
    return np.repeat(rates[:, :, None], touched.shape[3], axis=2)


def holdout_rates(counts: Counts) -> Floats:
    """Return rates of each campaign, kind, age and path, from the control rows."""
    caused, baseline = _fit(counts)
    rates = order(ratio(caused, caused + baseline), counts.touched)
    return meet(rates, counts.touched, _goals(counts, rates, caused))


def _fit(counts: Counts) -> tuple[Floats, Floats]:
    """Return the expected caused and baseline conversions."""
    touched, touches, ghosts_each = counts.touched, counts.touches, counts.ghosts_each
    ghosts, ghost_curve = counts.ghosts.sum(axis=_CELLS), counts.ghosts.sum(axis=0)
    seen: Floats = touched.sum(axis=_CELLS)
    common = ghosts.sum(axis=0) / np.maximum((seen * ghosts_each).sum(axis=0), 1e-9)
    level = seen * np.clip(common, 0.0, 1.0)  # begin with the baseline share of all campaigns
    curve = ratio(ghost_curve, ghost_curve.sum(axis=(1, 2), keepdims=True))
    factor: Floats = np.ones(len(touched))
    left = touched.sum(axis=0) - level.sum(axis=0)[:, None, None] * curve
    left = np.maximum(left, 0.02 * touched.sum(axis=0))  # what begins at 0 stays there
    effect = ratio(left, touches.sum(axis=0)[:, None, None])
    for _ in range(_ROUNDS):
        expected = (factor[:, None] * touches)[:, :, None, None] * effect
        caused = touched * ratio(expected, expected + level[:, :, None, None] * curve)
        baseline = touched - caused
        ordinary = (touches * effect.sum(axis=(1, 2))).sum(axis=1)
        factor = factors(caused.sum(axis=(1, 2, 3)), ordinary, counts.advertiser)
        effect = ratio(caused.sum(axis=0), (factor[:, None] * touches).sum(axis=0)[:, None, None])
        level = (baseline.sum(axis=_CELLS) + ghosts) / (1 + ghosts_each)
        curve = baseline.sum(axis=0) + ghost_curve
        curve = ratio(curve, curve.sum(axis=(1, 2), keepdims=True))
    return caused, baseline


def factors(caused: Floats, ordinary: Floats, advertiser: Ints) -> Floats:
    """Return how well each campaign's touches work; 1 is as well as those of all campaigns."""
    prior = _FACTOR_CONVERSIONS
    theirs: Floats = (np.bincount(advertiser, caused) + prior) / (
        np.bincount(advertiser, ordinary) + prior
    )
    return np.asarray((caused + prior * theirs[advertiser]) / (ordinary + prior))


def order(rates: Floats, touched: Floats) -> Floats:
    """Return rates that do not rise with age, and that stand for cells without conversions too.

    Parameters
    ----------
    rates, touched : ndarray of shape (campaigns, kinds, ages, paths)
        Rates and their conversions. A path that no campaign has is given the rates of the next.
    """
    ordered, common = rates.copy(), touched.sum(axis=0)
    for campaign, kind, path in np.ndindex(*rates.shape[:2], rates.shape[3]):
        # a cell that only other campaigns know bends those of this one a little
        weight = touched[campaign, kind, :, path] + 1e-3 * common[kind, :, path]
        seen = np.flatnonzero(weight)
        if len(seen):
            here = rates[campaign, kind, seen, path]
            ordered[campaign, kind, :, path] = _falling(here, weight[seen], seen, len(weight))
    unseen = common.sum(axis=1) == 0
    for kind, path in np.argwhere(unseen):
        ordered[:, kind, :, path] = ordered[:, kind, :, path - 1]
    return ordered


def _falling(values: Floats, weight: Floats, seen: Ints, length: int) -> Floats:
    """Return the nearest values that do not rise, each held until the next place seen."""
    from scipy.optimize import isotonic_regression  # slow to import, and few commands need it

    fitted = isotonic_regression(values, weights=weight, increasing=False).x
    place = np.searchsorted(seen, np.arange(length), side="right") - 1
    return np.asarray(fitted[np.maximum(place, 0)], dtype=np.float64)


def _goals(counts: Counts, rates: Floats, caused: Floats) -> Floats:
    """Return the conversions that each campaign should earn, given the lift of all.

    The lift of treated over control users is right on average but noisy; the sum over eligible
    touches is the reverse: the step from the one to the other is shrunk by its variance. What the
    lift has beyond the sum was caused by views and impressions too old to be eligible, and is
    shared out like what those that are not too old caused.
    """
    held = np.isfinite(counts.odds)
    odds, (treated, control) = counts.odds[held], counts.lift[held].T
    earned: Floats = (counts.touched * rates).sum(axis=(1, 2, 3))
    total = earned[held].sum()
    if total <= 0:
        return earned
    ghosts, ghosts_each = counts.ghosts.sum(axis=_CELLS)[held], counts.ghosts_each[held]
    shared = counts.touched[held].sum() + (ghosts / ghosts_each**2).sum()  # noise of both
    noise = (treated + odds**2 * control).sum() - shared
    spread = (_LIFT_SPREAD * counts.touched[held].sum()) ** 2
    step = (treated - odds * control).sum() - total
    step *= spread / (spread + max(noise, 0.0))
    views = caused[:, 1:].sum(axis=(1, 2, 3))
    parts = views if step > 0 and views[held].sum() > 0 else earned
    goals = earned + step * parts / parts[held].sum()
    return np.asarray(np.clip(goals, 0.0, counts.touched.sum(axis=(1, 2, 3))))


def meet(rates: Floats, touched: Floats, goals: Floats) -> Floats:
    """Return rates whose odds are all changed by one factor a campaign, so that goals are met.

    Parameters
    ----------
    rates, touched : ndarray of shape (campaigns, kinds, ages, paths)
        Rates and their conversions.
    goals : ndarray of shape (campaigns,)
        Conversions that each campaign should earn; at most all of its own are given.
    """
    inner = np.clip(rates, 1e-4, 1 - 1e-4)
    logits = np.log(inner) - np.log(1 - inner)
    low, high = np.full(len(goals), -6.0), np.full(len(goals), 6.0)
    moved = rates
    for _ in range(40):
        middle = (low + high) / 2
        moved = 1 / (1 + np.exp(-logits - middle[:, None, None, None]))
        above = (touched * moved).sum(axis=(1, 2, 3)) > goals
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return np.asarray(np.where(rates > 0, moved, 0.0))


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole, 0 where the whole is."""
    shape = np.broadcast_shapes(part.shape, whole.shape)
    return np.divide(part, whole, out=np.zeros(shape), where=np.broadcast_to(whole > 0, shape))
