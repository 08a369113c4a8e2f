"""Inductive Venn-Abers prediction: a probability, and how far one more row could move it.

The score to be predicted joins the sample twice, once as an event and once as none, and isotonic
regression is done both times. Of an exchangeable row, one of the two values is calibrated.

References
----------
Vovk, Petej and Fedorova, "Large-scale probabilistic predictors with and without guarantees of
validity", NIPS 2015: the inductive form, and the merging of both values for log loss.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from calibration.calibrators import Calibrator, is_ascending, limits_of
from calibration.ranks import gather_many
from calibration.samples import Floats, Sample

_SCORES: Final = 20_000  # a block of a smooth curve is wider by far than a group at such numbers


@dataclass(frozen=True)
class VennAbersCalibrator(Calibrator):
    """The merged Venn-Abers probability; monotone.

    Both regressions are computed for all scores at once, after one sort. Of more than 20,000
    different scores, neighbours count as equal, in groups of about equally many rows and events.
    Scores beyond those fitted get an interval that ends at 0 or 1. If all scores are equal, each
    fitted one gets (events + 1) / (n + 1) as upper and events / (n + 1) as lower probability. The
    row that joins has weight 1.

    The merged probability is never 0 or 1, because both outcomes were assumed once.

    Attributes
    ----------
    first, last : tuple of float
        The lowest and highest score of each group of scores that are treated alike, ascending.
    lower, upper : tuple of float
        Their probability if the row that joins is no event, and if it is one.
    """

    kind: ClassVar[str] = "venn_abers"
    first: tuple[float, ...] = ()
    last: tuple[float, ...] = ()
    lower: tuple[float, ...] = ()
    upper: tuple[float, ...] = ()

    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator; all weights are above 0 and both outcomes are there."""
        groups = gather_many(sample, _SCORES, by_events=True)
        upper = _joined_by_event(groups.weight, groups.events)
        # without an event is with one, seen from the other side
        others = np.maximum(groups.weight - groups.events, 0)
        lower = 1 - _joined_by_event(groups.weight[::-1], others[::-1])[::-1]
        # running sums, as of weights that are no whole numbers, may break the order by rounding
        lower, upper = (np.clip(np.maximum.accumulate(ends), 0, 1) for ends in (lower, upper))
        lower = np.minimum(lower, upper)
        changes = (np.diff(lower, prepend=-1.0) != 0) | (np.diff(upper, prepend=-1.0) != 0)
        starts = np.flatnonzero(changes)
        alike = groups.merge(starts)
        return replace(
            self,
            limits=limits_of(sample),
            first=tuple(alike.lowest.tolist()),
            last=tuple(alike.highest.tolist()),
            lower=tuple(lower[starts].tolist()),
            upper=tuple(upper[starts].tolist()),
        )

    def predict_interval(self, y_prob: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Return the lower and the upper probability of scores; these, as bounds, may be 0 or 1.

        Parameters
        ----------
        y_prob : array_like of shape (n,)
            Scores in [0, 1].

        Raises
        ------
        CalibrationError
            If the calibrator has not been fitted.
        InvalidSampleError
            If a score is outside [0, 1] or NaN.
        """
        return self._interval(self._checked(y_prob))

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        columns = (self.first, self.last, self.lower, self.upper)
        return (
            super().is_consistent()
            and len({len(column) for column in columns}) == 1
            and bool(self.first) == bool(self.limits)
            and all(is_ascending(column) for column in columns)
            and all(np.less_equal(self.first, self.last))
            and all(np.less(self.last[:-1], self.first[1:]))
            and all(np.less_equal(self.lower, self.upper))
        )

    def _map(self, scores: Floats) -> Floats:
        lower, upper = self._interval(scores)
        merged: Floats = upper / (1 - lower + upper)
        return merged

    def _interval(self, scores: Floats) -> tuple[Floats, Floats]:
        # between two groups, an event is pooled with the higher and a non-event with the lower
        lower = np.array((0.0, *self.lower))[np.searchsorted(self.first, scores, side="right")]
        upper = np.array((*self.upper, 1.0))[np.searchsorted(self.last, scores, side="left")]
        return lower, upper


def _joined_by_event(weight: Floats, events: Floats) -> Floats:
    """Return for each group its isotonic value if one more event, of weight 1, had its score.

    With cumulative weights and events as points P(0), ..., P(k), the value of group g is the slope
    of the common lower tangent to the points before it, moved by (-1, -1), and those from it on.
    From one group to the next the tangent holds unless the point between them lies below the line
    that has its slope and goes through its left end, before it was moved; then that point is the
    new left end. Slopes ascend, hence the right end only moves right, along the lower hull of the
    points on the right: all takes time proportional to k.
    """
    x = [0.0, *np.cumsum(weight).tolist()]
    y = [0.0, *np.cumsum(events).tolist()]
    after = _hull(x, y)
    values = np.empty(len(weight))
    left, right, slope = 0, 1, 0.0
    for place in range(len(weight)):
        if place == 0 or y[place] - y[left] < slope * (x[place] - x[left]):
            left, right = place, max(right, place + 1)
            slope = (y[right] - y[left] + 1) / (x[right] - x[left] + 1)
            while after[right] > right:
                following = after[right]
                next_slope = (y[following] - y[left] + 1) / (x[following] - x[left] + 1)
                if next_slope > slope:
                    break
                right, slope = following, next_slope
        values[place] = slope
    return values


def _hull(x: list[float], y: list[float]) -> list[int]:
    """Return for each point the next one on the lower hull of it and those right of it."""
    end = len(x) - 1
    after = [end] * (end + 1)
    for place in range(end - 1, -1, -1):
        following = place + 1
        while following < end:
            beyond = after[following]
            slope = (y[following] - y[place]) * (x[beyond] - x[place])
            if slope < (y[beyond] - y[place]) * (x[following] - x[place]):
                break
            following = beyond
        after[place] = following
    return after
