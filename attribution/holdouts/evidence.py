"""Conversions as the mixtures count them, each remembering whose it is so that users may be drawn.

Two accounts are given of the same histories: conversions by the latest opportunity of each campaign
before them, and conversions by their last touch together with the ghosts, what the last touch would
have been had a withheld ad been shown, viewed or clicked.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.holdouts.arms import offered_pairs
from attribution.holdouts.calibrated_touch import RECENCY_BINS
from attribution.holdouts.opportunity_mixture import AGES_US, OpportunityCounts
from attribution.holdouts.touch_mixture import Counts
from attribution.paths import KINDS, LOOKBACK_US, Floats, Integers

_DAY_US: Final = 24 * HOUR_US
_WINDOWS_US: Final = (7 * _DAY_US, _DAY_US, _DAY_US)  # how long each of KINDS may be the last touch
_IMPRESSION: Final = KINDS.index("impression")
_ALONE, _SHARED = 0, 1


@dataclass(frozen=True)
class _Rows:
    """Conversions in cells.

    Attributes
    ----------
    cell : ndarray of int64, shape (n,)
        Position in the flattened counts.
    conversion : ndarray of int64, shape (n,)
        Number of the conversion.
    """

    cell: Integers
    conversion: Integers

    def count(self, worth: Floats, shape: tuple[int, ...]) -> Floats:
        """Return the worth of conversions in each cell."""
        counted = np.bincount(self.cell, worth[self.conversion], minlength=int(np.prod(shape)))
        return np.asarray(counted.reshape(shape), dtype=np.float64)


@dataclass(frozen=True)
class Evidence:
    """Conversions in the cells of both accounts.

    Attributes
    ----------
    probability : ndarray of float64, shape (conversions,)
        That it is its user's, times the weight of the history.
    touches, users : ndarray of float64, shape (campaigns, kinds) and (campaigns, 2)
        Touches shown, and treated and held-out users with an opportunity.
    advertiser : ndarray of int64, shape (campaigns,)
        Number of the advertiser.
    """

    probability: Floats
    touches: Floats
    users: Floats
    advertiser: Integers
    _offered: _Rows
    _touched: _Rows
    _ghosts: _Rows

    def opportunities(self, worth: Floats | None = None) -> OpportunityCounts:
        """Count by latest opportunity, each conversion for its `worth` if that is given."""
        shape = (len(self.users), 2, len(AGES_US))
        counted = self._offered.count(self._worth(worth), shape)
        treated, control = self.users.T
        both = (treated > 0) & (control > 0)
        odds = np.divide(treated, control, out=np.full(len(treated), np.inf), where=both)
        return OpportunityCounts(counted[:, 0], counted[:, 1], odds, self.touches, self.advertiser)

    def last_touches(self, worth: Floats | None = None) -> Counts:
        """Count by last touch and ghost, each conversion for its `worth` if that is given."""
        worth = self._worth(worth)
        shape = (len(self.users), len(KINDS), len(RECENCY_BINS), 2)
        offered = (len(self.users), 2, len(AGES_US))
        return Counts(
            touched=self._touched.count(worth, shape),
            ghosts=self._ghosts.count(worth, shape),
            touches=self.touches,
            users=self.users,
            offered=self._offered.count(worth, offered),
            advertiser=self.advertiser,
        )

    def _worth(self, worth: Floats | None) -> Floats:
        return self.probability if worth is None else worth


def read_evidence(histories: Histories) -> Evidence:
    """Return the accounts of histories."""
    touches = histories.touches
    frame = pl.DataFrame(
        {
            "history": histories.touch_history,
            "channel": touches.channel,
            "kind": touches.kind,
            "time_us": touches.time_us,
            "shown": touches.shown,
        }
    )
    won = pl.DataFrame(
        {
            "history": histories.conversion_history,
            "conversion": np.arange(len(histories.conversion_us)),
            "won_us": histories.conversion_us,
        }
    )
    lag = (
        frame.join(won, on="history")
        .with_columns(lag_us=pl.col("won_us") - pl.col("time_us"))
        .filter(pl.col("lag_us").is_between(0, LOOKBACK_US))
    )
    offered = (
        lag.filter(pl.col("kind") == _IMPRESSION)
        .group_by("conversion", "channel")
        .agg(held=(~pl.col("shown")).any(), lag_us=pl.col("lag_us").min())
        .sort("conversion", "channel")
    )
    winners = _winners(lag)
    channels = len(histories.channels)
    return Evidence(
        probability=histories.probability * histories.weights[histories.conversion_history],
        touches=_touch_counts(histories, channels),
        users=_user_counts(histories, channels),
        advertiser=histories.advertiser_of.astype(np.int64),
        _offered=_offered_rows(offered),
        _touched=_touch_rows(winners),
        _ghosts=_touch_rows(_ghosts(offered.filter("held"), winners)),
    )


def _winners(lag: pl.DataFrame) -> pl.DataFrame:
    """Return the last touch of each conversion: the strongest kind, then the latest."""
    windows = pl.lit(pl.Series(_WINDOWS_US)).gather(pl.col("kind"))
    eligible = lag.filter(pl.col("shown") & (pl.col("lag_us") <= windows))
    return (
        eligible.sort("conversion", "kind", "lag_us", "channel")
        .group_by("conversion", maintain_order=True)
        .agg(
            pl.col("channel").first(),
            pl.col("kind").first(),
            pl.col("lag_us").first(),
            path=pl.when(pl.col("channel").n_unique() > 1).then(_SHARED).otherwise(_ALONE),
        )
        .sort("conversion")
    )


def _ghosts(withheld: pl.DataFrame, winners: pl.DataFrame) -> pl.DataFrame:
    """Return what the last touch would have been with each withheld ad, of every kind."""
    kinds = pl.DataFrame(
        {"ghost": np.arange(len(KINDS), dtype=np.int32), "window_us": np.array(_WINDOWS_US)}
    )
    won = winners.select("conversion", won_kind="kind", won_lag="lag_us")
    stronger = pl.col("ghost") < pl.col("won_kind")
    later = (pl.col("ghost") == pl.col("won_kind")) & (pl.col("lag_us") < pl.col("won_lag"))
    alone = pl.col("won_kind").is_null()
    return (
        withheld.join(kinds, how="cross")
        .filter(pl.col("lag_us") <= pl.col("window_us"))
        .join(won, on="conversion", how="left")
        .filter(alone | stronger | later)
        .select(
            "conversion",
            "channel",
            "lag_us",
            kind="ghost",
            path=pl.when(alone).then(_ALONE).otherwise(_SHARED),
        )
        .sort("conversion", "channel", "kind")
    )


def _offered_rows(offered: pl.DataFrame) -> _Rows:
    age = np.searchsorted(AGES_US, offered["lag_us"].to_numpy(), side="left")
    arm = offered["channel"].to_numpy().astype(np.int64) * 2 + offered["held"].to_numpy()
    return _Rows(arm * len(AGES_US) + age, offered["conversion"].to_numpy())


def _touch_rows(touched: pl.DataFrame) -> _Rows:
    age = np.searchsorted(RECENCY_BINS, touched["lag_us"].to_numpy(), side="left")
    age = np.minimum(age, len(RECENCY_BINS) - 1)
    kind = touched["channel"].to_numpy().astype(np.int64) * len(KINDS) + touched["kind"].to_numpy()
    cell = (kind * len(RECENCY_BINS) + age) * 2 + touched["path"].to_numpy()
    return _Rows(cell, touched["conversion"].to_numpy())


def _touch_counts(histories: Histories, channels: int) -> Floats:
    touches = histories.touches
    weight = histories.weights[histories.touch_history] * touches.shown
    cell = touches.channel.astype(np.int64) * len(KINDS) + touches.kind
    counted = np.bincount(cell, weight, minlength=channels * len(KINDS))
    return np.asarray(counted.reshape(channels, len(KINDS)), dtype=np.float64)


def _user_counts(histories: Histories, channels: int) -> Floats:
    pairs = offered_pairs(histories)
    cell = pairs["channel"].to_numpy().astype(np.int64) * 2 + pairs["held"].to_numpy()
    counted = np.bincount(cell, pairs["weight"].to_numpy(), minlength=2 * channels)
    return np.asarray(counted.reshape(channels, 2), dtype=np.float64)
