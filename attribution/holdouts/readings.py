"""What campaigns caused, by two readings of the same ads withheld at random.

- by last touch (``touch_mixture``): conversions by their last touch's kind and age, and those of
  held-out users by what it would have been. It knows clicks, and assumes that who buys anyway
  clicks no more than others.
- by opportunity (``opportunity_mixture``): conversions by the age of each campaign's latest ad,
  shown or withheld. It does not look at who clicked, and so assumes nothing of it.

Where one errs the other errs less, or the other way: on simulated worlds the mean is nearer than
either. Both come from the same held-out users as the plain lifts do, so that an excess of the lift
over the mean is mostly noise that the mean has its part of already. To shrink the mean towards the
lifts once more would count the held-out users twice; on simulated worlds it made every figure
worse.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from attribution.holdouts.evidence import Evidence
from attribution.holdouts.opportunity_mixture import caused_conversions
from attribution.holdouts.touch_mixture import holdout_rates
from attribution.paths import Floats
from warehouse.errors import InsufficientDataError

LEAST_CONTROLS: Final = 30
"""Fewer conversions after a withheld ad tell nothing apart."""


@dataclass(frozen=True)
class Readings:
    """Conversions that each campaign caused, each of shape (campaigns,)."""

    by_last_touch: Floats
    by_opportunity: Floats

    @property
    def mean(self) -> Floats:
        """The mean of both."""
        return np.asarray((self.by_last_touch + self.by_opportunity) / 2)


def read_holdouts(evidence: Evidence, worth: Floats) -> Readings:
    """Return both readings.

    Parameters
    ----------
    evidence : Evidence
        Of at least :data:`LEAST_CONTROLS`: see :func:`require_controls`.
    worth : ndarray of shape (conversions,)
        How many conversions each counts for: its weight times its probability, drawn or not.
    """
    counts = evidence.last_touches(worth)
    earned = (counts.touched * holdout_rates(counts)).sum(axis=(1, 2, 3))
    return Readings(earned, caused_conversions(evidence.opportunities(worth)))


def require_controls(evidence: Evidence) -> None:
    """See that enough held-out users converted.

    Raises
    ------
    InsufficientDataError
        If fewer than :data:`LEAST_CONTROLS` conversions came after a withheld ad.
    """
    controls = float(evidence.opportunities().control.sum())
    if controls < LEAST_CONTROLS:
        raise InsufficientDataError(
            f"incremental credit: {controls:.0f} conversions after a withheld ad, "
            f"{LEAST_CONTROLS} are needed. Withhold ads from more users or take more days."
        )


def plain_lifts(evidence: Evidence) -> Floats:
    """Return treated less baseline conversions of each campaign; NaN where nobody is held out."""
    counts = evidence.opportunities()
    held = np.isfinite(counts.odds)
    baseline = np.where(held, counts.odds, 0.0) * counts.control.sum(axis=1)
    return np.asarray(np.where(held, counts.treated.sum(axis=1) - baseline, np.nan))
