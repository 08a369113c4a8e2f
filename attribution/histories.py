"""What users saw and did at advertisers, as arrays: what data-driven models are fitted on.

A history is one user at one advertiser over the time that both were watched: the touches, shown or
withheld, and the conversions, each with the probability that it is his. Cut at its conversions, it
becomes paths.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from attribution.paths import KINDS, LOOKBACK_US, Codes, Floats, Integers, Paths, Touches


@dataclass(frozen=True)
class Histories:
    """What users saw and did at advertisers while both were watched.

    Attributes
    ----------
    channels, advertisers, segments : tuple of str
        Names; elsewhere each is its position here.
    advertiser_of : ndarray of int32, shape (channels,)
        The advertiser of each channel.
    user : ndarray of int64, shape (histories,)
        Number of the user.
    advertiser, segment : ndarray of int32, shape (histories,)
        Whose history, and the segment of its user.
    weights : ndarray of float64, shape (histories,)
        How many histories a row stands for: those without touch and conversion may be counted
        together.
    start_us, end_us : int
        When watching began and ended, for all of them.
    touches : Touches
        In the order of histories, then of time.
    touch_history : ndarray of int64, shape (touches,)
        The history of each.
    conversion_us : ndarray of int64, shape (conversions,)
        When, in the order of histories, then of time.
    conversion_history : ndarray of int64, shape (conversions,)
        The history of each.
    probability, value : ndarray of float64, shape (conversions,)
        The probability that it is this user's, and its value in one currency.
    """

    channels: tuple[str, ...]
    advertisers: tuple[str, ...]
    segments: tuple[str, ...]
    advertiser_of: Codes
    user: Integers
    advertiser: Codes
    segment: Codes
    weights: Floats
    start_us: int
    end_us: int
    touches: Touches
    touch_history: Integers
    conversion_us: Integers
    conversion_history: Integers
    probability: Floats
    value: Floats

    def __len__(self) -> int:
        return len(self.user)

    @classmethod
    def of(
        cls,
        histories: pl.DataFrame,
        touches: pl.DataFrame,
        conversions: pl.DataFrame,
        *,
        start_us: int,
        end_us: int,
    ) -> Self:
        """Read frames.

        Parameters
        ----------
        histories : DataFrame
            history (any integer, once each), user (integer), advertiser_id, segment (text) and
            weight.
        touches : DataFrame
            history, campaign_id, kind, time_us, shown; each campaign is of one advertiser.
        conversions : DataFrame
            history, time_us, probability, value.
        start_us, end_us : int
            When watching began and ended.
        """
        known = histories.sort("history").with_row_index("number")
        place = known.select("history", pl.col("number").cast(pl.Int64))
        seen = touches.join(place, on="history").sort(
            "number", "time_us", "campaign_id", "kind", "shown"
        )
        found = conversions.join(place, on="history").sort(
            "number", "time_us", "probability", "value"
        )
        owners = (
            seen.join(known.select("history", "advertiser_id"), on="history")
            .group_by("campaign_id")
            .agg(pl.col("advertiser_id").min())
            .sort("campaign_id")
        )
        advertisers = tuple(known["advertiser_id"].unique().sort())
        segments = tuple(known["segment"].unique().sort())
        channels = tuple(owners["campaign_id"])
        return cls(
            channels=channels,
            advertisers=advertisers,
            segments=segments,
            advertiser_of=_codes(owners["advertiser_id"], advertisers),
            user=known["user"].cast(pl.Int64).to_numpy(),
            advertiser=_codes(known["advertiser_id"], advertisers),
            segment=_codes(known["segment"], segments),
            weights=known["weight"].cast(pl.Float64).to_numpy(),
            start_us=start_us,
            end_us=end_us,
            touches=Touches(
                _codes(seen["campaign_id"], channels),
                _codes(seen["kind"], KINDS),
                seen["time_us"].to_numpy(),
                seen["shown"].to_numpy(),
            ),
            touch_history=seen["number"].to_numpy(),
            conversion_us=found["time_us"].to_numpy(),
            conversion_history=found["number"].to_numpy(),
            probability=found["probability"].cast(pl.Float64).to_numpy(),
            value=found["value"].cast(pl.Float64).to_numpy(),
        )

    def paths(self, *, lookback_us: int = LOOKBACK_US) -> Paths:
        """Cut histories into paths: up to each conversion, and what is left without one.

        A touch shown counts for the next conversion of its history, at the same moment or later,
        within `lookback_us`, the edge counted; touches without such a conversion make one path that
        only ended, as does a history without any. So each touch is in one path, and each
        conversion has one.
        """
        shown = np.flatnonzero(self.touches.shown)
        history, time_us = self.touch_history[shown], self.touches.time_us[shown]
        after = first_not_before(self.conversion_history, self.conversion_us, history, time_us)
        conversions = len(self.conversion_us)
        inside = after < conversions
        row = np.minimum(after, max(conversions - 1, 0))
        if conversions:
            inside &= self.conversion_history[row] == history
            inside &= self.conversion_us[row] - time_us <= lookback_us
        silent = np.ones(len(self), dtype=np.bool_)
        silent[self.conversion_history] = False
        silent[history[~inside]] = True
        ended = np.flatnonzero(silent)
        nth = np.full(len(self), -1)
        nth[ended] = conversions + np.arange(len(ended))
        path = np.where(inside, after, nth[history])
        order = np.argsort(path, kind="stable")
        lengths = np.bincount(path, minlength=conversions + len(ended))
        of_path = np.concatenate([self.conversion_history, ended])
        none = np.zeros(len(ended))
        return Paths(
            channels=self.channels,
            advertisers=self.advertisers,
            segments=self.segments,
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            touches=self.touches.take(shown[order]),
            end_us=np.concatenate([self.conversion_us, np.full(len(ended), self.end_us)]),
            conversions=np.concatenate([self.probability, none]),
            values=np.concatenate([self.value, none]),
            weights=self.weights[of_path],
            user=self.user[of_path],
            advertiser=self.advertiser[of_path],
            segment=self.segment[of_path],
        )


def first_not_before(
    of: Integers, times_us: Integers, history: Integers, time_us: Integers
) -> Integers:
    """Return the first row, ordered by history and time, at or after each history's moment."""
    low = np.searchsorted(of, history, side="left")
    high = np.searchsorted(of, history, side="right")
    while (low < high).any():  # halving: histories are short
        middle = (low + high) // 2
        undecided = low < high
        before = undecided & (times_us[np.where(undecided, middle, 0)] < time_us)
        low = np.where(before, middle + 1, low)
        high = np.where(undecided & ~before, middle, high)
    return low


def _codes(names: pl.Series, known: tuple[str, ...]) -> Codes:
    place = {name: number for number, name in enumerate(known)}
    codes: Codes = names.replace_strict(place, return_dtype=pl.Int32).to_numpy()
    return codes
