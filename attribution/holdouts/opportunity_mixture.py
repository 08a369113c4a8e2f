"""Conversions after opportunities as a mixture of caused and baseline, told apart by holdouts.

Conversions of treated users by campaign and by how long ago the campaign's latest opportunity was,
and those of held-out users, are Poisson counts:

- caused, in treated users only: touches shown of each kind, by a curve of the kind over age, by a
  factor of the campaign;
- baseline, in both arms: a few curves over age that all campaigns share, each with a level of the
  campaign. Two curves at least are needed: ads that people meet because they are shopping are
  followed by baseline conversions soon, ads that are shown at any time are not.

Control users are few. The plain lift learns a campaign's baseline from them alone; here the shape
of it comes from all campaigns and its level from treated users as well, at ages where little is
caused. Expectation and maximisation (Dempster, Laird and Rubin 1977) fit it, with the updates of
Lee and Seung (1999) for what is a factorisation into non-negative parts. Levels are drawn towards
the curves' common shares and factors towards the advertiser's.

Assumed: curves are common to campaigns, up to a mixture; a campaign that works twice as well does
so for every kind of touch and at every age. Nothing is assumed of who clicks.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from attribution.conversions import HOUR_US
from attribution.holdouts.touch_mixture import factors, ratio
from attribution.paths import Floats, Integers

AGES_US: Final = tuple(round(HOUR_US * hours) for hours in (0.5, 1, 3, 12, 24, 48, 72, 96, 168))
"""Greatest age of an opportunity in each bin, in microseconds; the edge counts."""
_CURVES: Final = 2
_TILT: Final = 0.6  # how far the curves differ to begin with
_ROUNDS: Final = 1000
_SHARE_CONVERSIONS: Final = 20.0  # the common shares of the curves are believed like so many
_TINY: Final = 1e-12


@dataclass(frozen=True)
class OpportunityCounts:
    """Conversions by the campaign's latest opportunity; the first axis is always the campaign.

    Attributes
    ----------
    treated, control : ndarray of shape (campaigns, ages)
        Conversions of treated and of held-out users, by the bin of :data:`AGES_US`.
    odds : ndarray of shape (campaigns,)
        Treated users for each held-out user; infinite where only one of both arms is there.
    touches : ndarray of shape (campaigns, kinds)
        Touches shown.
    advertiser : ndarray of int64, shape (campaigns,)
        Number of the advertiser.
    """

    treated: Floats
    control: Floats
    odds: Floats
    touches: Floats
    advertiser: Integers


def caused_conversions(counts: OpportunityCounts) -> Floats:
    """Return the expected conversions that each campaign caused.

    Parameters
    ----------
    counts : OpportunityCounts
        Some campaigns may have nobody held out; if none has, the answer means nothing.

    Returns
    -------
    ndarray of shape (campaigns,)
        At least 0 and at most the treated conversions.
    """
    treated, control, touches = counts.treated, counts.control, counts.touches
    kept = 1 / counts.odds  # control users for each treated one
    level, curves = _begin(counts)
    factor: Floats = np.ones(len(treated))
    excess = treated.sum(axis=0) - _scaled(control, counts.odds).sum(axis=0)
    excess = np.maximum(excess, 0.02 * treated.sum(axis=0))  # what begins at 0 stays there
    effect = ratio(excess[None, :], touches.sum(axis=0)[:, None]) / touches.shape[1]
    caused = np.zeros(len(treated))
    for _ in range(_ROUNDS):
        parts = (factor[:, None] * touches)[:, :, None] * effect  # campaign, kind, age
        baseline = level @ curves
        share = treated / np.maximum(baseline + parts.sum(axis=1), _TINY)
        parts *= share[:, None, :]
        drawn = share + control / np.maximum(baseline, _TINY)
        drawn = level[:, :, None] * curves * drawn[:, None, :]  # campaign, curve, age
        caused = parts.sum(axis=(1, 2))
        factor = factors(caused, touches @ effect.sum(axis=1), counts.advertiser)
        effect = ratio(parts.sum(axis=0), (factor @ touches)[:, None])
        curves = drawn.sum(axis=0) + _TINY
        curves /= curves.sum(axis=1, keepdims=True)
        level = _levels(drawn.sum(axis=2), kept)
    return caused


def _begin(counts: OpportunityCounts) -> tuple[Floats, Floats]:
    """Return levels and curves to begin with: the control users', tilted to early and to late."""
    late = np.linspace(-1.0, 1.0, counts.treated.shape[1])
    tilt = np.linspace(-_TILT, _TILT, _CURVES)
    curves = (counts.control.sum(axis=0) + 0.5) * np.exp(tilt[:, None] * late)
    curves /= curves.sum(axis=1, keepdims=True)
    baseline = _scaled(counts.control + 0.5, counts.odds).sum(axis=1)
    whole = counts.treated.sum(axis=1)
    common = min(1.0, baseline.sum() / max(whole[np.isfinite(counts.odds)].sum(), 1.0))
    level = np.where(np.isfinite(counts.odds), baseline, common * whole)
    return np.repeat(level[:, None] / _CURVES, _CURVES, axis=1), curves


def _levels(drawn: Floats, kept: Floats) -> Floats:
    """Return each campaign's baseline by curve, its shares drawn towards the common ones."""
    common = drawn.sum(axis=0) / max(drawn.sum(), _TINY)
    whole = drawn.sum(axis=1)
    shrunk = (drawn + _SHARE_CONVERSIONS * common) * (whole / (whole + _SHARE_CONVERSIONS))[:, None]
    return np.asarray(shrunk / (1 + kept)[:, None])


def _scaled(control: Floats, odds: Floats) -> Floats:
    """Return control conversions as so many of treated users; 0 where nobody is held out."""
    return np.asarray(np.where(np.isfinite(odds), odds, 0.0)[:, None] * control)
