"""What a fitted model found out of the effects of each campaign, and what it rests on."""

from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

import numpy as np
import polars as pl

from attribution.histories import Histories

EFFECTS: Final = {
    "campaign_id": pl.String,
    "basis": pl.String,
    "correction": pl.Float64,
    "incremental": pl.Float64,
    "standard_error": pl.Float64,
    "credited": pl.Float64,
}
"""Columns of what a model found out of each campaign: see :class:`TellsEffects`."""


class HazardBasis(StrEnum):
    """What effects of a campaign were told apart from organic conversions by."""

    HOLDOUT = "holdout"  # its ads withheld at random
    POOLED = "pooled"  # ads of other campaigns withheld at random; of this one none were
    NONE = "none"  # the form of the model alone


@runtime_checkable
class TellsEffects(Protocol):
    """A model that tells what ads caused apart from what would have come anyway."""

    def effects(self) -> pl.DataFrame:
        """Return what the model found out of each campaign.

        Returns
        -------
        DataFrame
            campaign_id (null: all together); basis, what effects were told apart from organic
            conversions by; of a model that meets totals correction, how its credit of the campaign
            was corrected for that, incremental and standard_error, the conversions caused, and
            credited, what credit sums to. Null is what the model does not tell.
        """
        ...


def basis_of(histories: Histories) -> tuple[HazardBasis, ...]:
    """Return what tells the effects of each channel of histories apart."""
    withheld = histories.touches.channel[~histories.touches.shown]
    if not len(withheld):
        return (HazardBasis.NONE,) * len(histories.channels)
    own = np.bincount(withheld, minlength=len(histories.channels)) > 0
    return tuple(HazardBasis.HOLDOUT if one else HazardBasis.POOLED for one in own)
