"""Touches as cells of campaign, kind and age: the counts and hours that a hazard is fitted on.

Within a cell the intensity is constant, so that a conversion history has the likelihood of Poisson
counts: of each cell only the hours at risk matter, and of each conversion how many touches of each
cell came before it.

A touch has up to two cells. Every opportunity, an impression whether it was shown or withheld, has
one for what would have happened anyway; its response is what the user did with it. Every touch
shown has one for its effect.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from attribution.conversions import HOUR_US
from attribution.histories import Histories
from attribution.paths import KINDS, LOOKBACK_US, Codes, Floats, Integers, Touches

AGES: Final = (0.25, 1.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0, LOOKBACK_US / HOUR_US)
"""Greatest age of a touch in each bin, in hours; the edge counts."""
RESPONSES: Final = ("none", "view", "click", "withheld")
"""What a user did with an opportunity; elsewhere a response is its position here."""

_CLICK, _IMPRESSION = KINDS.index("click"), KINDS.index("impression")
_NONE, _VIEWED, _CLICKED, _WITHHELD = range(len(RESPONSES))
_RESPONSE_US: Final = HOUR_US  # a view or click later than this is no answer to the impression
_EDGES: Final = np.array((0.0, *AGES))
_BINS: Final = len(AGES)


@dataclass(frozen=True)
class Cells:
    """The cells of touches.

    Cells are numbered (campaign, response, bin) for opportunities, after them (kind, campaign, bin)
    for effects; a touch that has no such cell has -1.

    Attributes
    ----------
    channels : int
        How many campaigns there are.
    opportunity, effect : ndarray of int64, shape (touches,)
        The cell of the first bin.
    """

    channels: int
    opportunity: Integers
    effect: Integers

    @property
    def count(self) -> int:
        """How many cells there are."""
        return self.channels * (len(RESPONSES) + len(KINDS)) * _BINS

    @classmethod
    def of(cls, touches: Touches, owner: Integers, channel: Codes, channels: int) -> "Cells":
        """Return the cells of touches.

        Parameters
        ----------
        touches : Touches
            In the order of owners, then of time.
        owner : ndarray of int64, shape (touches,)
            The history or path of each.
        channel : ndarray of int32, shape (touches,)
            The campaign of each as cells number it; -1 for one that they do not know.
        channels : int
            How many campaigns they number.
        """
        response = _responses(touches, owner)
        opportunity = (channel.astype(np.int64) * len(RESPONSES) + response) * _BINS
        effect = (touches.kind.astype(np.int64) * channels + channel) * _BINS
        effect += channels * len(RESPONSES) * _BINS
        opportunity[(response < 0) | (channel < 0)] = -1
        effect[~touches.shown | (channel < 0)] = -1
        return cls(channels, opportunity, effect)

    def sums(self, weights: Floats, first: Floats, last: Floats) -> Floats:
        """Return the weighted hours at risk of each cell, shape (cells,).

        Parameters
        ----------
        weights, first, last : ndarray of float64, shape (touches,)
            Between which ages, in hours, each touch is at risk, and for how many it stands.
        """
        total: Floats = np.zeros(self.count)
        for age in range(_BINS):
            hours = weights * _overlap(first, last, age)
            for cell in (self.opportunity, self.effect):
                rows = np.flatnonzero(cell >= 0)
                total += add_up(cell[rows] + age, hours[rows], size=self.count)
        return total

    def expected(self, rates: Floats, first: Floats, last: Floats) -> Floats:
        """Return the conversions that each touch foretells between two ages, shape (touches,)."""
        total: Floats = np.zeros(len(self.effect))
        for age in range(_BINS):
            hours = _overlap(first, last, age)
            for cell in (self.opportunity, self.effect):
                total += np.where(cell >= 0, rates[cell + age], 0.0) * hours
        return total


def _overlap(first: Floats, last: Floats, age: int) -> Floats:
    """Return the hours that spans of age have in a bin."""
    hours: Floats = np.minimum(last, _EDGES[age + 1]) - np.maximum(first, _EDGES[age])
    return np.maximum(hours, 0.0)


def bins(age_us: Integers) -> Integers:
    """Return the bin of each age; -1 for one beyond the last, or of a touch that came later."""
    edges = np.round(np.array(AGES) * HOUR_US).astype(np.int64)
    place: Integers = np.searchsorted(edges, age_us).astype(np.int64)
    place[(age_us < 0) | (place == _BINS)] = -1
    return place


def before_conversions(histories: Histories, cells: Cells) -> sp.csr_array:
    """Return how many touches of each cell came before each conversion.

    Returns
    -------
    csr_array of shape (conversions, cells)
    """
    of_touch, of_conversion = histories.touch_history, histories.conversion_history
    low = np.searchsorted(of_touch, of_conversion, side="left")
    lengths = np.searchsorted(of_touch, of_conversion, side="right") - low
    row = np.repeat(np.arange(len(lengths)), lengths)
    touch = np.arange(len(row)) - np.repeat(np.cumsum(lengths) - lengths - low, lengths)
    age = bins(histories.conversion_us[row] - histories.touches.time_us[touch])
    inside = age >= 0
    row, touch, age = row[inside], touch[inside], age[inside]
    firsts = (cells.opportunity[touch], cells.effect[touch])
    used = [np.flatnonzero(first >= 0) for first in firsts]
    rows = np.concatenate([row[kept] for kept in used])
    columns = np.concatenate(
        [(first + age)[kept] for first, kept in zip(firsts, used, strict=True)]
    )
    shape = (len(lengths), cells.count)
    return sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _responses(touches: Touches, owner: Integers) -> Integers:
    """Return the response to each opportunity; -1 for a touch that is none.

    A view or click answers the last impression of its campaign, if there is one within the hour.
    One that answers none stands for its own opportunity.
    """
    rows = np.arange(len(owner))
    order = np.lexsort((rows, touches.channel, owner))
    is_shown = (touches.kind[order] == _IMPRESSION) & touches.shown[order]
    last = np.maximum.accumulate(np.where(is_shown, rows, -1)) if len(rows) else rows
    asked = order[np.maximum(last, 0)]
    delay = touches.time_us[order] - touches.time_us[asked]
    answers = (touches.kind[order] != _IMPRESSION) & (last >= 0) & (delay <= _RESPONSE_US)
    answers &= (owner[asked] == owner[order]) & (touches.channel[asked] == touches.channel[order])
    deed = np.where(touches.kind == _CLICK, _CLICKED, _VIEWED)
    response = np.where(touches.kind == _IMPRESSION, _NONE, deed).astype(np.int64)
    np.maximum.at(response, asked[answers], deed[order[answers]])
    response[order[answers]] = -1
    unseen = ~touches.shown
    response[unseen] = np.where(touches.kind[unseen] == _IMPRESSION, _WITHHELD, -1)
    return response


def hours_of_day(start_us: int, end_us: int) -> Floats:
    """Return how many hours of a span fall into each hour of the day in UTC, shape (24,)."""
    first, last = start_us // HOUR_US, -(-end_us // HOUR_US)
    hour = np.arange(first, max(last, first))
    length = np.minimum((hour + 1) * HOUR_US, end_us) - np.maximum(hour * HOUR_US, start_us)
    return add_up(hour % 24, np.maximum(length, 0) / HOUR_US, size=24)


def add_up(place: Integers | Codes, values: Floats, *, size: int) -> Floats:
    """Return the sum of the values at each place, shape (size,)."""
    return np.asarray(np.bincount(place, values, minlength=size), dtype=np.float64)
