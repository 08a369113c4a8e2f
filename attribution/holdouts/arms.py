"""Users and conversions of both arms of each campaign's holdout.

A pair is a user and a campaign that had an opportunity for him: an impression, shown or withheld.
Only impressions are opportunities, for clicks alone, such as a flood of false ones, come to treated
users only. A pair is held out if an ad was ever withheld from it.

Conversions whose user is known by nothing but a click id must be left out by the caller: who saw an
ad has more click ids, so that such a match depends on the arm.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np
import polars as pl

from attribution.histories import Histories
from attribution.paths import KINDS, LOOKBACK_US
from warehouse.errors import ConfigError

COUNTS: Final = (
    "treated_users", "control_users", "treated_conversions", "control_conversions",
    "treated_squares", "control_squares", "contaminated_users",
)  # fmt: skip
"""Columns of :func:`arm_counts` that are sums over pairs."""
_DIMENSIONS: Final = ("campaign", "advertiser", "surface", "segment")
_IMPRESSION: Final = KINDS.index("impression")


class Comparison(StrEnum):
    """Which conversions of a pair are compared."""

    EXPOSED = "exposed"
    ASSIGNED = "intention_to_treat"


def arm_counts(
    histories: Histories,
    *,
    by: str = "campaign",
    comparison: Comparison = Comparison.EXPOSED,
    groups: Mapping[str, str] | None = None,
    lookback_us: int = LOOKBACK_US,
) -> pl.DataFrame:
    """Return users and conversions of both arms, by campaign and what lifts are wanted by.

    Parameters
    ----------
    histories : Histories
        What users saw and did. Conversions known by a click id alone must not be among it.
    by : str
        "campaign", "advertiser", "surface" or "segment".
    comparison : Comparison
        Which conversions count.
    groups : mapping of str to str, optional
        The surface of each campaign; also replaces what a campaign is grouped under otherwise.
    lookback_us : int
        How long after an opportunity a conversion counts, the edge included.

    Returns
    -------
    DataFrame
        campaign_id, name, treated_users, control_users, treated_conversions, control_conversions
        (expected ones where matches are uncertain), treated_squares, control_squares (sums over
        pairs of their squared conversions), contaminated_users (held-out pairs with a touch shown).

    Raises
    ------
    ConfigError
        If there is no such dimension, or a campaign has no group.
    """
    pairs = offered_pairs(histories).join(
        _conversions(histories, comparison, lookback_us), on=("history", "channel"), how="left"
    )
    won, weight = pl.col("conversions").fill_null(0.0), pl.col("weight")
    held = pl.col("held")
    counted = (
        pairs.with_columns(name=_names(histories, by, groups))
        .group_by("channel", "name")
        .agg(
            treated_users=weight.filter(~held).sum(),
            control_users=weight.filter(held).sum(),
            treated_conversions=(weight * won).filter(~held).sum(),
            control_conversions=(weight * won).filter(held).sum(),
            treated_squares=(weight * won**2).filter(~held).sum(),
            control_squares=(weight * won**2).filter(held).sum(),
            contaminated_users=weight.filter(pl.col("contaminated")).sum(),
        )
        .sort("channel", "name")
    )
    channels = pl.Series(histories.channels, dtype=pl.String)
    named = counted.with_columns(campaign_id=channels.gather(counted["channel"]))
    return named.select("campaign_id", "name", *COUNTS)


def offered_pairs(histories: Histories) -> pl.DataFrame:
    """Return the pairs with an opportunity: history, channel, held, contaminated, weight."""
    touches = histories.touches
    shown, offered = pl.col("shown"), pl.col("kind") == _IMPRESSION
    # held out is who ever had an ad withheld: nobody else has one
    pairs = (
        pl.DataFrame(
            {
                "history": histories.touch_history,
                "channel": touches.channel,
                "kind": touches.kind,
                "shown": touches.shown,
            }
        )
        .group_by("history", "channel")
        .agg(offered=offered.any(), held=(~shown).any(), some=shown.any())
        .filter("offered")
        .sort("history", "channel")
    )
    rows = pairs["history"].to_numpy()
    return pairs.select(
        "history", "channel", "held", contaminated=pl.col("held") & pl.col("some")
    ).with_columns(weight=pl.Series(histories.weights[rows]))


def _conversions(histories: Histories, comparison: Comparison, lookback_us: int) -> pl.DataFrame:
    """Return the conversions of each pair: history, channel, conversions."""
    touches = histories.touches
    won = pl.DataFrame(
        {
            "history": histories.conversion_history,
            "number": np.arange(len(histories.conversion_us)),
            "won_us": histories.conversion_us,
            "probability": histories.probability,
        }
    )
    offered = np.flatnonzero(touches.kind == _IMPRESSION)
    opportunities = pl.DataFrame(
        {
            "history": histories.touch_history[offered],
            "channel": touches.channel[offered],
            "time_us": touches.time_us[offered],
        }
    )
    both = won.join(opportunities, on="history")
    if comparison is Comparison.EXPOSED:
        both = both.filter((pl.col("won_us") - pl.col("time_us")).is_between(0, lookback_us))
    return (
        both.group_by("history", "channel", "number")
        .agg(pl.col("probability").first())
        .sort("history", "channel", "number")
        .group_by("history", "channel", maintain_order=True)
        .agg(conversions=pl.col("probability").sum())
    )


def _names(histories: Histories, by: str, groups: Mapping[str, str] | None) -> pl.Expr:
    """Return what each pair is counted under."""
    if by not in _DIMENSIONS:
        raise ConfigError(f'by = "{by}": no such dimension. Use one of: {", ".join(_DIMENSIONS)}.')
    if by == "segment":
        segments = [histories.segments[code] for code in histories.segment]
        return pl.lit(pl.Series(segments, dtype=pl.String)).gather(pl.col("history"))
    if groups is not None:
        missing = [name for name in histories.channels if name not in groups]
        if missing:
            raise ConfigError(f"groups: {missing[0]} has no {by}. Name one for each campaign.")
        names = [groups[name] for name in histories.channels]
    elif by == "surface":
        raise ConfigError('by = "surface": histories have none. Give the surface of each campaign.')
    elif by == "advertiser":
        names = [histories.advertisers[code] for code in histories.advertiser_of]
    else:
        names = list(histories.channels)
    return pl.lit(pl.Series(names, dtype=pl.String)).gather(pl.col("channel"))
