"""Maps from scores to probabilities that mean what they say: the interface, and the free-form ones.

A calibrator is frozen. ``fit`` returns a new one that has learned; ``predict`` maps scores;
``save`` writes JSON, which :func:`calibration.saving.load_calibrator` reads. The others are in
``parametric`` (few parameters), ``venn_abers``, ``priors`` (only the level) and ``segmented``.

Weights count rows: a row of weight 2 is two rows. Hence multiplying all weights changes how far a
sample reaches towards 0 and 1, and how much it counts against any pseudo-count.

Exact 0 and 1 never leave a calibrator. Of n rows with an overall rate r, even the most extreme are
thought of as one row more, of the overall rate: no probability is below r / (n + 1), nor above
(n + r) / (n + 1). Laplace's rule, (0 + 1) / (n + 2), would put that row at one half, far above any
rare event.

References
----------
Zadrozny and Elkan, "Obtaining calibrated probability estimates from decision trees and naive
Bayesian classifiers", ICML 2001, for histograms.
Zadrozny and Elkan, "Transforming classifier scores into accurate multiclass probability estimates",
KDD 2002, for isotonic regression.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import ClassVar, Final, Self

import numpy as np
import numpy.typing as npt

from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.options import require_whole
from calibration.ranks import gather_many, isotonic_blocks
from calibration.samples import Floats, Sample

FORMAT: Final = "calibrator"
VERSION: Final = 1
FLOATS: Final = (float(np.finfo(np.float64).tiny), 1 - float(np.finfo(np.float64).epsneg))
_ROWS_AT_ONCE: Final = 500_000


@dataclass(frozen=True)
class Calibrator(ABC):
    """What every calibrator can do.

    Attributes
    ----------
    limits : tuple of float
        The lowest and the highest probability that it gives; empty before it is fitted.
    """

    kind: ClassVar[str]
    limits: tuple[float, ...] = ()

    def fit(
        self, y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
    ) -> Self:
        """Return a calibrator of the same options that has learned from a sample.

        Parameters
        ----------
        y_true : array_like of shape (n,)
            1 where the event happened, else 0.
        y_prob : array_like of shape (n,)
            Scores in [0, 1].
        weight : array_like of shape (n,), optional
            How many rows each one stands for; all 1 when omitted. Rows of 0 are left out.

        Raises
        ------
        InsufficientDataError
            If all rows have the same outcome.
        InvalidSampleError
            If the lengths differ, or a value is outside its range.
        """
        sample = counted(Sample.of(y_true, y_prob, weight))
        require_both_outcomes(sample)
        return self.learned(sample)

    def predict(self, y_prob: npt.ArrayLike) -> Floats:
        """Return calibrated probabilities.

        Parameters
        ----------
        y_prob : array_like of shape (n,)
            Scores in [0, 1]; none is an empty result.

        Raises
        ------
        CalibrationError
            If the calibrator has not been fitted.
        InvalidSampleError
            If a score is outside [0, 1] or NaN.
        """
        scores = self._checked(y_prob)
        result = np.empty(len(scores))
        for start in range(0, len(scores), _ROWS_AT_ONCE):
            part = slice(start, start + _ROWS_AT_ONCE)
            np.clip(self._map(scores[part]), self.limits[0], self.limits[1], out=result[part])
        return result

    def save(self, path: str | Path) -> None:
        """Write the calibrator as JSON; its floats are read back exactly.

        Parameters
        ----------
        path : str or Path
            The file, which is replaced where there is one.

        Raises
        ------
        CalibrationError
            If the calibrator has not been fitted, or the file cannot be written.
        """
        if not self.limits:
            raise CalibrationError(_unfitted(self))
        content = {"format": FORMAT, "version": VERSION, **_content(self)}
        text = json.dumps(content, allow_nan=False) + "\n"
        try:
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CalibrationError(
                f"{path} cannot be written: {error.strerror}; name a file in a folder that is there"
            ) from None

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        return not self.limits or (
            len(self.limits) == 2 and 0 < self.limits[0] <= self.limits[1] < 1
        )

    @abstractmethod
    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator; all weights are above 0 and both outcomes are there."""

    @abstractmethod
    def _map(self, scores: Floats) -> Floats:
        """Return probabilities before they are held within the limits."""

    def _checked(self, y_prob: npt.ArrayLike) -> Floats:
        """Return scores as an array, after the checks of :meth:`predict`."""
        if not self.limits:
            raise CalibrationError(_unfitted(self))
        shape = np.shape(y_prob)
        if shape == (0,):
            return np.empty(0)
        return Sample.of(np.broadcast_to(np.False_, shape), y_prob).probability


def require_calibrator(calibrator: object) -> None:
    """Refuse a class, or what is no calibrator.

    Raises
    ------
    CalibrationError
        If it is either.
    """
    if isinstance(calibrator, type):
        raise CalibrationError(
            f"{calibrator.__name__} is a class: give a calibrator, {calibrator.__name__}()"
        )
    if not callable(getattr(calibrator, "fit", None)):
        raise CalibrationError(
            f"{calibrator!r} is no calibrator: give one, such as BetaCalibrator()"
        )


def _unfitted(calibrator: Calibrator) -> str:
    return (
        f"the {calibrator.kind} calibrator is not fitted: call fit first, and use what it returns"
    )


def counted(sample: Sample) -> Sample:
    """Return the rows whose weight is above 0."""
    if sample.weight is None or sample.weight.all():
        return sample
    rows = np.flatnonzero(sample.weight)
    return Sample(sample.happened[rows], sample.probability[rows], sample.weight[rows])


def require_both_outcomes(sample: Sample) -> None:
    """Refuse a sample, of weights above 0, from which no calibrator can learn."""
    happened = int(np.count_nonzero(sample.happened))
    if happened in (0, len(sample)):
        raise InsufficientDataError(
            f"y_true: {happened} of {len(sample)} rows of weight above 0 are events; "
            "give rows of both outcomes"
        )


def limits_of(sample: Sample) -> tuple[float, float]:
    """Return the lowest and the highest probability that a sample can support."""
    size = sample.size
    rate = min(sample.events / size, 1.0)
    lowest, highest = rate / (size + 1), (size + rate) / (size + 1)
    # of weights as large as no count of rows is, floats would round to 0 or 1
    return max(lowest, FLOATS[0]), min(highest, FLOATS[1])


def is_ascending(values: tuple[float, ...], *, strictly: bool = False) -> bool:
    """Tell whether numbers ascend within [0, 1]."""
    steps = np.diff(np.array((0.0, *values, 1.0)))
    inner = steps[1:-1]
    return bool((steps >= 0).all() and (not strictly or (inner > 0).all()))


def _content(calibrator: Calibrator) -> dict[str, object]:
    values = {field.name: getattr(calibrator, field.name) for field in fields(calibrator)}
    return {"kind": calibrator.kind, **{name: _plain(value) for name, value in values.items()}}


def _plain(value: object) -> object:
    if isinstance(value, Calibrator):
        return _content(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@dataclass(frozen=True)
class IsotonicCalibrator(Calibrator):
    """The best ascending step function, with straight lines between its steps; monotone.

    It gives what scikit-learn's IsotonicRegression does, whose fit holds seven copies of the sample
    where this one holds one, but at the ends. A lowest block of k rows without an event has the
    probability r / (k + 1), where r is the overall rate: that of k + 1 rows, of which the last is
    like all rows. It is no higher than the next block, however. A highest block of k events has
    (k + r) / (k + 1) likewise. Scores beyond those fitted count as the nearest fitted one. If all
    scores are equal, every score gets the overall rate.

    Attributes
    ----------
    scores, probabilities : tuple of float
        The corners of the function, ascending.
    """

    kind: ClassVar[str] = "isotonic"
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator; all weights are above 0 and both outcomes are there."""
        blocks = isotonic_blocks(sample)
        levels, overall = blocks.rate, sample.events / sample.size
        if blocks.events[0] == 0:
            levels[0] = min(overall / (blocks.weight[0] + 1), levels[1])
        if blocks.events[-1] == blocks.weight[-1]:
            top = (blocks.weight[-1] + overall) / (blocks.weight[-1] + 1)
            levels[-1] = max(top, levels[-2])
        corners = np.stack([blocks.lowest, blocks.highest], axis=1).ravel()
        needed = np.diff(corners, prepend=-1.0) > 0  # a block of one score has one corner
        return replace(
            self,
            limits=limits_of(sample),
            scores=tuple(corners[needed].tolist()),
            probabilities=tuple(np.repeat(levels, 2)[needed].tolist()),
        )

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        return (
            super().is_consistent()
            and len(self.scores) == len(self.probabilities)
            and bool(self.scores) == bool(self.limits)
            and is_ascending(self.scores, strictly=True)
            and is_ascending(self.probabilities)
        )

    def _map(self, scores: Floats) -> Floats:
        return np.interp(scores, self.scores, self.probabilities)


@dataclass(frozen=True)
class HistogramCalibrator(Calibrator):
    """The rate of events in bins of about equal weight, shrunk; not monotone.

    A bin gives (events + pseudo_count * prior) / (weight + pseudo_count). Equal scores share a bin,
    hence there may be fewer bins than asked for; if all scores are equal there is one. A score
    between two bins belongs to the higher one.

    Attributes
    ----------
    bins : int
        How many at most.
    pseudo_count : float
        How many rows the prior counts as.
    towards_scores : bool
        Whether a bin's prior is its mean score; else it is the overall rate.
    edges : tuple of float
        The highest score of each bin but the last.
    probabilities : tuple of float
        What each bin gives.
    """

    kind: ClassVar[str] = "histogram"
    bins: int = 15
    pseudo_count: float = 1.0
    towards_scores: bool = True
    edges: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        require_whole(self.bins, "bins")
        if not 0 <= self.pseudo_count < np.inf:
            raise InvalidSampleError(f"pseudo_count = {self.pseudo_count}: give at least 0")

    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator; all weights are above 0 and both outcomes are there."""
        cells = gather_many(sample, self.bins, by_events=False)
        overall = sample.events / sample.size
        prior = cells.expected / cells.weight if self.towards_scores else overall
        rates = (cells.events + self.pseudo_count * prior) / (cells.weight + self.pseudo_count)
        return replace(
            self,
            limits=limits_of(sample),
            edges=tuple(cells.highest[:-1].tolist()),
            probabilities=tuple(np.clip(rates, 0, 1).tolist()),
        )

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        return (
            super().is_consistent()
            and len(self.probabilities) == (len(self.edges) + 1 if self.limits else 0)
            and is_ascending(self.edges, strictly=True)
            and all(0 <= value <= 1 for value in self.probabilities)
        )

    def _map(self, scores: Floats) -> Floats:
        return np.array(self.probabilities)[np.searchsorted(self.edges, scores, side="left")]
