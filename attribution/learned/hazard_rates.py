"""The rates of an additive hazard, and what their likelihood depends on.

The intensity of conversions at an advertiser is a sum:

- a baseline of the advertiser and segment, by the hour of the day;
- for each opportunity, shown or withheld, an organic part that the ad did not cause: those who are
  shopping are shown ads. It is a level of the campaign, by a factor of the response, by a curve
  over age. What a withheld ad would have met with is a mixture of the responses;
- for each touch shown its effect: a factor of the campaign, by the strength of the kind, by a
  curve over age that kinds have in common. Soon after a click or view there is a burst besides:
  the visit that it opened.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import scipy.sparse as sp

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.learned.hazard_cells import (
    AGES,
    RESPONSES,
    Cells,
    add_up,
    before_conversions,
    hours_of_day,
)
from attribution.paths import Codes, Floats, Integers, Paths
from warehouse.errors import InsufficientDataError

LEAST_CONVERSIONS: Final = 10
"""Fewer expected conversions are too few to fit on."""
FLOOR: Final = 1e-30
"""Stands for 0 where there is a logarithm or a quotient to take."""

_SHARE_PRIOR: Final = 20.0  # common shares of responses are believed like so many opportunities
_BINS: Final = len(AGES)
_RESPONDED: Final = len(RESPONSES) - 1


@dataclass(frozen=True)
class HazardReading:
    """What fits on the same histories have in common, however often each user is drawn.

    Attributes
    ----------
    cells : Cells
        Of the touches.
    touched : csr_array of shape (conversions, cells)
        How many touches of each cell came before each conversion.
    paths : Paths
        Those that end with a conversion, in the order of conversions.
    """

    cells: Cells
    touched: sp.csr_array
    paths: Paths

    @classmethod
    def of(cls, histories: Histories) -> Self:
        """Read histories."""
        touches = histories.touches
        cells = Cells.of(touches, histories.touch_history, touches.channel, len(histories.channels))
        converted = np.arange(len(histories.conversion_us))
        touched = before_conversions(histories, cells)
        return cls(cells, touched, histories.paths().take(converted))

    def drawn(self, histories: Histories) -> Self:
        """Return the reading of the same histories with other weights and probabilities."""
        owner = histories.conversion_history
        weights, won = histories.weights[owner], histories.probability
        return replace(self, paths=replace(self.paths, weights=weights, conversions=won))


@dataclass(frozen=True)
class Evidence:
    """What the likelihood depends on.

    Attributes
    ----------
    touched : csr_array of shape (conversions, cells)
        How many touches of each cell came before each conversion.
    weights : ndarray of shape (conversions,)
        How many conversions a row stands for.
    group, hour : ndarray of int64, shape (conversions,)
        Advertiser and segment, and the hour of the day, of each.
    watched, hours : ndarray of shape (groups,) and (24,)
        Histories of each group, and hours at risk of each history by hour of the day.
    risk : ndarray of shape (cells,)
        Hours at risk of each cell.
    shares : ndarray of shape (campaigns, 3)
        How often an opportunity meets with each response when it is shown.
    advertiser_of : ndarray of int32, shape (campaigns,)
        Number of the advertiser.
    """

    touched: sp.csr_array
    weights: Floats
    group: Integers
    hour: Integers
    watched: Floats
    hours: Floats
    risk: Floats
    shares: Floats
    advertiser_of: Codes


@dataclass(frozen=True)
class Rates:
    """The parameters of the intensity, an hour.

    Attributes
    ----------
    baseline, hours : ndarray of shape (groups,) and (24,)
        Rate of each advertiser and segment, and factors of the hour of the day; 1 on average.
    organic_advertiser, organic : ndarray of shape (advertisers,) and (campaigns,)
        Factors of opportunities.
    response, organic_curve : ndarray of shape (3,) and (bins,)
        Factors of responses, and the rate of an opportunity by its age.
    effect_advertiser, effect : ndarray of shape (advertisers,) and (campaigns,)
        Factors of touches shown.
    strength, effect_curve : ndarray of shape (kinds,) and (bins,)
        Factors of kinds, and the rate of a touch by its age.
    burst : ndarray of shape (kinds, bins)
        What is added soon after a click or view.
    """

    baseline: Floats
    hours: Floats
    organic_advertiser: Floats
    organic: Floats
    response: Floats
    organic_curve: Floats
    effect_advertiser: Floats
    effect: Floats
    strength: Floats
    effect_curve: Floats
    burst: Floats

    def levels(self, advertiser_of: Codes) -> Floats:
        """Return the factor of each campaign's opportunities."""
        return np.asarray(self.organic_advertiser[advertiser_of] * self.organic)

    def factors(self, advertiser_of: Codes) -> Floats:
        """Return the factor of each campaign's touches shown."""
        return np.asarray(self.effect_advertiser[advertiser_of] * self.effect)

    def kernels(self) -> Floats:
        """Return the rate of each (kind, bin) of touches of an average campaign."""
        return np.asarray(self.strength[:, None] * self.effect_curve + self.burst)

    def cells(self, evidence: Evidence) -> Floats:
        """Return the rate of each cell, shape (cells,)."""
        met = opportunity_rates(
            self.levels(evidence.advertiser_of), self.response, self.organic_curve
        )
        factors = self.factors(evidence.advertiser_of)
        return cell_rates(met, evidence.shares, factors, self.kernels())


def opportunity_rates(levels: Floats, response: Floats, curve: Floats) -> Floats:
    """Return the rate of each (campaign, response, bin) of opportunities that were shown."""
    return np.asarray(levels[:, None, None] * response[:, None] * curve)


def cell_rates(met: Floats, shares: Floats, factors: Floats, kernels: Floats) -> Floats:
    """Return the rate of each cell.

    Parameters
    ----------
    met : ndarray of shape (campaigns, 3, bins)
        Rates of opportunities that were shown, by response.
    shares : ndarray of shape (campaigns, 3)
        How often each response is met with.
    factors : ndarray of shape (campaigns,)
        Of touches shown.
    kernels : ndarray of shape (kinds, bins)
        Rates of touches shown of an average campaign.
    """
    withheld = (shares[:, :, None] * met).sum(axis=1, keepdims=True)
    effects = kernels[:, None] * factors[:, None]
    return np.concatenate([np.concatenate([met, withheld], axis=1).ravel(), effects.ravel()])


def gather(histories: Histories, reading: HazardReading) -> Evidence:
    """Count what the likelihood of histories depends on.

    Parameters
    ----------
    histories : Histories
        What was seen.
    reading : HazardReading
        Of these histories, with whatever weights.

    Raises
    ------
    InsufficientDataError
        If fewer than :data:`LEAST_CONVERSIONS` conversions are expected.
    """
    weights = histories.weights[histories.conversion_history] * histories.probability
    if weights.sum() < LEAST_CONVERSIONS:
        raise InsufficientDataError(
            f"additive hazard: {weights.sum():.1f} conversions, {LEAST_CONVERSIONS} are needed. "
            "Fit it on more days."
        )
    segments, cells = len(histories.segments), reading.cells
    group = histories.advertiser.astype(np.int64) * segments + histories.segment
    owner, time_us = histories.touch_history, histories.touches.time_us
    stands = histories.weights[owner]
    first = np.maximum(histories.start_us - time_us, 0) / HOUR_US
    met = np.where(cells.opportunity >= 0, cells.opportunity // _BINS, 0)
    met = add_up(met, stands * (cells.opportunity >= 0), size=cells.channels * len(RESPONSES))
    return Evidence(
        touched=reading.touched,
        weights=weights,
        group=group[histories.conversion_history],
        hour=histories.conversion_us // HOUR_US % 24,
        watched=add_up(group, histories.weights, size=len(histories.advertisers) * segments),
        hours=hours_of_day(histories.start_us, histories.end_us),
        risk=cells.sums(stands, first, (histories.end_us - time_us) / HOUR_US),
        shares=_shares(met.reshape(cells.channels, len(RESPONSES))[:, :_RESPONDED]),
        advertiser_of=histories.advertiser_of,
    )


def expected_effects(rates: Rates, evidence: Evidence) -> float:
    """Return the conversions that touches shown are expected to cause while they are watched."""
    begin = len(evidence.shares) * len(RESPONSES) * _BINS
    return float(rates.cells(evidence)[begin:] @ evidence.risk[begin:])


def baselines(rates: Rates, evidence: Evidence, segments: int) -> Floats:
    """Return baselines by advertiser and segment, each with the mean of all as the last."""
    watched = evidence.watched.reshape(-1, segments)
    expected = rates.baseline.reshape(-1, segments) * watched
    both = []
    for table in (expected, watched):
        wide = np.column_stack([table, table.sum(axis=1)])
        both.append(np.vstack([wide, wide.sum(axis=0)]))
    means: Floats = np.divide(both[0], both[1], out=np.zeros(both[0].shape), where=both[1] > 0)
    return means


def intensities(rates: Rates, evidence: Evidence) -> tuple[Floats, Floats]:
    """Return the baseline's rate and the rate of all parts at each conversion."""
    base: Floats = rates.baseline[evidence.group] * rates.hours[evidence.hour]
    return base, np.asarray(base + evidence.touched @ rates.cells(evidence))


def log_likelihood(rates: Rates, evidence: Evidence, total: Floats | None = None) -> float:
    """Return the logarithm of the likelihood of conversions in continuous time.

    Parameters
    ----------
    rates : Rates
        The parameters.
    evidence : Evidence
        What was seen.
    total : ndarray of shape (conversions,), optional
        The rate at each conversion, where it is known already.
    """
    if total is None:
        _, total = intensities(rates, evidence)
    expected = (evidence.watched @ rates.baseline) * (evidence.hours @ rates.hours)
    expected += evidence.risk @ rates.cells(evidence)
    return float(evidence.weights @ np.log(np.maximum(total, FLOOR)) - expected)


def _shares(met: Floats) -> Floats:
    """Return how often opportunities met with each response, shrunk towards all campaigns'."""
    common = met.sum(axis=0) / max(met.sum(), 1.0)
    total = met.sum(axis=1, keepdims=True) + _SHARE_PRIOR
    return np.asarray((met + _SHARE_PRIOR * common) / total)
