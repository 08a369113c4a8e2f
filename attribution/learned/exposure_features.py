"""What is known at a moment, as columns: doses of the touches before it, and signs of intent.

Clicks and engaged views are doses that fade, at several speeds, in units of how often conversions
followed touches of their campaign. Doses add up, so a touch fewer, or an older one, is never a
larger dose. Impressions are a dose of one speed.

Intent is told by the user's segment, the advertiser and the opportunities: when an ad was shown or
withheld, and whose. They stay what they are when a touch is taken away in thought, for then the ad
is one withheld. What was paid or bid is no column: it holds the buyer's own forecast.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.learned.exposure_moments import FOLDS, Moments, distinct, folds_of
from attribution.paths import KINDS, Bools, Floats, Integers, Touches

IMPRESSION: Final = KINDS.index("impression")
HORIZONS: Final = ("hour", "later")
"""Within an hour of a touch, and after it: a visit, and a memory."""
_FADING: Final = ((0.2, "hour"), (2.0, "hour"), (12.0, "later"), (48.0, "later"))
_IMPRESSION_HOURS: Final = 48.0  # impressions are remembered, and seldom followed at once
_BELIEVED: Final = 12.0  # a campaign's rate moves from 1 as far as so many conversions allow
_NEVER_HOURS: Final = 1000.0  # since the latest opportunity, where there was none
_FREQUENT: Final = 0.002  # of the touches: a campaign that is a category of its own

ACTED: Final = tuple(kind for kind in KINDS if kind != "impression")
DOSES: Final = (*(f"{kind}_{hours:g}h" for kind in ACTED for hours, _ in _FADING), "impression")
"""Columns of touches that were shown; the last one is that of impressions."""
INTENT: Final = (
    *(f"opportunities_{hours:g}h" for hours, _ in _FADING),
    "opportunities",
    "opportunity_campaigns",
    "opportunity_rate",
    "opportunity_hours",
    "latest_campaign",
    "advertiser",
    "segment",
)
"""Columns that stay when touches are taken away in thought."""
CATEGORIES: Final = ("latest_campaign", "advertiser", "segment")
OPPORTUNITY_DOSE: Final = INTENT.index(f"opportunities_{_IMPRESSION_HOURS:g}h")
"""The column that the dose of impressions equals where no ad was withheld."""


@dataclass(frozen=True)
class Rates:
    """How often a conversion followed touches of each campaign, relative to all campaigns.

    Attributes
    ----------
    table : ndarray of float64, shape (folds + 1, campaigns + 1, kinds, horizons)
        Without the users of each fold, then of all users; the last campaign is any unknown one.
    frequent : ndarray of bool, shape (campaigns + 1,)
        Campaigns with touches enough to be categories of their own.
    """

    table: Floats
    frequent: Bools

    @classmethod
    def fit(cls, histories: Histories, cases: Moments, weights: Floats) -> "Rates":
        """Count touches, and conversions after them; rare campaigns are moved towards 1.

        Rates without the users of a fold encode that fold, so that no row is encoded by its own
        outcome. Rates moved towards the common one: Micci-Barreca, "A preprocessing scheme for
        high-cardinality categorical attributes", 2001.

        Parameters
        ----------
        histories : Histories
            Whose touches are counted.
        cases : Moments
            The conversions.
        weights : ndarray of float64, shape (cases,)
            What each counts.
        """
        shape = (FOLDS, len(histories.channels) + 1, len(KINDS))
        fold = folds_of(histories.user[histories.touch_history])
        weight = histories.weights[histories.touch_history]
        touches = _count(shape, fold, histories.touches, weight)
        of = cases.of_touch
        soon = cases.time_us[of] - cases.touches.time_us <= HOUR_US
        table = np.empty((FOLDS + 1, *shape[1:], len(HORIZONS)))
        for horizon, inside in enumerate((soon, ~soon)):
            found = _count(shape, cases.fold[of], cases.touches, weights[of] * inside)
            for row in range(FOLDS + 1):  # the last row leaves nobody out
                kept = np.arange(FOLDS) != row
                seen, followed = touches[kept].sum(axis=0), found[kept].sum(axis=0)
                common = followed.sum(axis=0) / np.maximum(seen.sum(axis=0), 1e-9)
                table[row, :, :, horizon] = (followed + _BELIEVED) / (seen * common + _BELIEVED)
        by_campaign = touches.sum(axis=(0, 2))
        table = np.round(table, 12)  # sums in another order differ in their last digits
        return cls(table, by_campaign >= max(_FREQUENT * by_campaign.sum(), 1.0))


def intent_features(moments: Moments, rates: Rates) -> Floats:
    """Return the columns of :data:`INTENT`, shape (moments, columns)."""
    touches, size = moments.touches, len(moments)
    rows = np.flatnonzero(touches.kind == IMPRESSION)
    of, channel = moments.of_touch[rows], touches.channel[rows]
    hours = (moments.time_us[of] - touches.time_us[rows]) / HOUR_US
    count: Floats = np.bincount(of, minlength=size).astype(np.float64)
    pairs = distinct(of * len(rates.frequent) + channel)
    campaigns = np.bincount(pairs // len(rates.frequent), minlength=size)
    rate = rates.table[moments.fold[of], channel, IMPRESSION, HORIZONS.index("later")]
    latest, wait = np.full(size, -1.0), np.full(size, _NEVER_HOURS)
    last = np.flatnonzero(np.diff(of, append=size))
    latest[of[last]] = np.where(rates.frequent[channel[last]], channel[last], -1)
    wait[of[last]] = hours[last]
    faded = [np.bincount(of, np.exp(-hours / life), size) for life, _ in _FADING]
    columns: list[Floats] = [column.astype(np.float64) for column in faded]
    columns += [count, campaigns.astype(np.float64)]
    columns += [np.bincount(of, rate, size) / np.maximum(count, 1.0), wait, latest]
    columns += [moments.advertiser.astype(np.float64), moments.segment.astype(np.float64)]
    features: Floats = np.column_stack(columns)
    return features


def touch_doses(moments: Moments, rates: Rates) -> Floats:
    """Return what each touch adds to the columns of :data:`DOSES`.

    Returns
    -------
    ndarray of float64, shape (touches, columns)
        0 for a touch withheld.
    """
    of, touches = moments.of_touch, moments.touches
    hours = (moments.time_us[of] - touches.time_us) / HOUR_US
    rate = rates.table[moments.fold[of], touches.channel, touches.kind]
    doses = np.zeros((len(touches), len(DOSES)))
    for number, kind in enumerate(ACTED):
        rows = np.flatnonzero((touches.kind == KINDS.index(kind)) & touches.shown)
        for place, (life, horizon) in enumerate(_FADING):
            dose = rate[rows, HORIZONS.index(horizon)] * np.exp(-hours[rows] / life)
            doses[rows, number * len(_FADING) + place] = dose
    rows = np.flatnonzero((touches.kind == IMPRESSION) & touches.shown)
    doses[rows, -1] = np.exp(-hours[rows] / _IMPRESSION_HOURS)
    return doses


def kept_doses(moments: Moments, doses: Floats) -> Floats:
    """Return the sums of the first 0, 1, ... and all doses of each moment, moment after moment.

    Each moment is summed by itself, so that its figures do not hang on its neighbours.

    Returns
    -------
    ndarray of float64, shape (touches + moments, columns)
        Of a moment with n touches n + 1 rows.
    """
    lengths = np.diff(moments.offsets)
    start = moments.offsets[:-1] + np.arange(len(lengths))
    sums = np.zeros((len(doses) + len(lengths), doses.shape[1]))
    longer = np.flatnonzero(lengths)
    for nth in range(int(lengths.max(initial=0))):
        longer = longer[lengths[longer] > nth]
        row = start[longer] + nth
        sums[row + 1] = sums[row] + doses[moments.offsets[longer] + nth]
    return sums


def all_doses(moments: Moments, doses: Floats) -> Floats:
    """Return the sums of all doses of each moment, shape (moments, columns)."""
    return kept_doses(moments, doses)[last_rows(moments)]


def last_rows(moments: Moments) -> Integers:
    """Return the row of :func:`kept_doses` with all touches of each moment, shape (moments,)."""
    rows: Integers = moments.offsets[1:] + np.arange(len(moments))
    return rows


def _count(shape: tuple[int, ...], fold: Integers, touches: Touches, weight: Floats) -> Floats:
    place = np.ravel_multi_index((fold, touches.channel, touches.kind), shape)
    counts = np.bincount(place, weight * touches.shown, int(np.prod(shape)))
    return np.asarray(counts.reshape(shape), dtype=np.float64)
