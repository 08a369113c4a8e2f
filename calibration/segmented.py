"""One calibrator a segment, none of which strays from the whole on little evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.calibrators import (
    Calibrator,
    counted,
    require_both_outcomes,
    require_calibrator,
)
from calibration.errors import InvalidSampleError
from calibration.parametric import SigmoidCalibrator
from calibration.ranks import gather_many
from calibration.samples import Floats, Sample

Integers = npt.NDArray[np.int64]
Places = npt.NDArray[np.uint32]
Labels = pl.Series | npt.NDArray[Any] | Sequence[object]

_POINTS: Final = 200  # at how many scores of a segment the whole is asked


@dataclass(frozen=True)
class SegmentedCalibrator(Calibrator):
    """A calibrator for each segment, shrunk towards one of the whole; monotone within a segment.

    A segment is fitted to its own rows and to pseudo-rows: its own scores, with the outcomes that
    the whole expects of them. These hold ``pseudo_events`` of the rarer outcome together. So a
    segment of that many events is half its own, one of few is like the whole, and even one without
    any event, or of one row, has a fit. A segment that was not there, or is null, gets the whole.

    Attributes
    ----------
    base : Calibrator
        What is fitted, to the whole and to each segment.
    pseudo_events : float
        How many events the whole counts as in a segment, above 0.
    names : tuple of str
        The segments, as text.
    fits : tuple of Calibrator
        That of the whole, then those of the segments.
    """

    kind: ClassVar[str] = "segmented"
    base: Calibrator = field(default_factory=SigmoidCalibrator)
    pseudo_events: float = 20.0
    names: tuple[str, ...] = ()
    fits: tuple[Calibrator, ...] = ()

    def __post_init__(self) -> None:
        require_calibrator(self.base)
        if not 0 < self.pseudo_events < np.inf:
            raise InvalidSampleError(f"pseudo_events = {self.pseudo_events}: give a number above 0")

    def fit(
        self,
        y_true: npt.ArrayLike,
        y_prob: npt.ArrayLike,
        *,
        weight: npt.ArrayLike | None = None,
        segments: Labels | None = None,
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
        segments : array_like or Series of shape (n,), optional
            The segment of each row, null where it has none; all are null when omitted.

        Raises
        ------
        InsufficientDataError
            If all rows have the same outcome.
        InvalidSampleError
            If the lengths differ, or a value is outside its range.
        """
        sample = Sample.of(y_true, y_prob, weight)
        places, names = _places(segments, len(sample))
        if sample.weight is not None:
            places = places[sample.weight > 0]
            sample = counted(sample)
        require_both_outcomes(sample)
        return self._learned(sample, places, names)

    def predict(self, y_prob: npt.ArrayLike, *, segments: Labels | None = None) -> Floats:
        """Return calibrated probabilities.

        Parameters
        ----------
        y_prob : array_like of shape (n,)
            Scores in [0, 1].
        segments : array_like or Series of shape (n,), optional
            The segment of each row, of the type that was fitted, null where it has none. May be
            omitted only where the calibrator was fitted without segments.

        Raises
        ------
        CalibrationError
            If the calibrator has not been fitted.
        InvalidSampleError
            If the lengths differ, a score is outside [0, 1] or NaN, segments were fitted and are
            not given, or there are several of which none was fitted.
        """
        scores = self._checked(y_prob)
        if segments is None and self.names:
            raise InvalidSampleError(
                f"segments: {len(self.names)} were fitted; give that of each row, null where it "
                "has none"
            )
        places, names = _places(segments, len(scores))
        if len(names) > 1 and self.names and set(names).isdisjoint(self.names):
            raise InvalidSampleError(
                f"segments: none of {len(names)}, such as {names[0]!r}, was fitted; give those of "
                f"the column that was, such as {self.names[0]!r}"
            )
        known = {name: place for place, name in enumerate(self.names, start=1)}
        fits = [0, *(known.get(name, 0) for name in names)]
        result = np.empty(len(scores))
        for place, rows in _rows_by_place(places):
            result[rows] = self.fits[fits[place]].predict(scores[rows])
        return result

    def learned(self, sample: Sample) -> Self:
        """Return a fitted calibrator of rows without a segment."""
        return self._learned(sample, np.zeros(len(sample), dtype=np.uint32), [])

    def is_consistent(self) -> bool:
        """Tell whether its attributes, perhaps read from a file, fit together."""
        expected = len(self.names) + 1 if self.limits else 0
        return (
            super().is_consistent()
            and len(self.fits) == expected
            and len(set(self.names)) == len(self.names)
            and all(part.limits and part.is_consistent() for part in self.fits)
        )

    def _learned(self, sample: Sample, places: Places, names: list[str]) -> Self:
        whole = self.base.learned(sample)
        fits, fitted = [whole], []
        for place, rows in _rows_by_place(places):
            if place:  # 0 is no segment
                fits.append(self.base.learned(self._supported(sample, rows, whole)))
                fitted.append(names[place - 1])
        lows, highs = zip(*(part.limits for part in fits), strict=True)
        return replace(self, limits=(min(lows), max(highs)), names=tuple(fitted), fits=tuple(fits))

    def _supported(self, sample: Sample, rows: Integers, whole: Calibrator) -> Sample:
        """Return the rows of a segment and its pseudo-rows."""
        weight = np.ones(len(rows)) if sample.weight is None else sample.weight[rows]
        own = Sample(sample.happened[rows], sample.probability[rows], weight)
        groups = gather_many(own, _POINTS, by_events=False)
        # rounding may put a mean outside the group
        scores = np.clip(groups.expected / groups.weight, groups.lowest, groups.highest)
        expected = whole.predict(scores)
        events, others = groups.weight * expected, groups.weight * (1 - expected)
        factor = self.pseudo_events / min(events.sum(), others.sum())
        outcomes = np.repeat([True, False], len(scores))
        return Sample(
            np.concatenate([own.happened, outcomes]),
            np.concatenate([own.probability, scores, scores]),
            np.concatenate([weight, events * factor, others * factor]),
        )

    def _map(self, scores: Floats) -> Floats:
        return self.fits[0].predict(scores)


def _places(segments: Labels | None, rows: int) -> tuple[Places, list[str]]:
    """Return for each row the place of its segment, from 1 on and 0 for null, and their names."""
    if segments is None:
        return np.zeros(rows, dtype=np.uint32), []
    try:
        values = segments if isinstance(segments, pl.Series) else pl.Series(segments)
        if values.dtype.is_float():
            values = values.fill_nan(None)
            if values.is_finite().all() and (values.drop_nulls() % 1 == 0).all():
                values = values.cast(pl.Int64)  # numbers with gaps come as floats
        distinct = values.drop_nulls().unique()
        names = pl.DataFrame({"value": distinct, "name": distinct.cast(pl.String)}).sort("name")
    except (TypeError, pl.exceptions.PolarsError) as error:
        raise InvalidSampleError(f"segments: not a column of one type: {error}") from None
    if values.len() != rows:
        raise InvalidSampleError(f"segments: {values.len()} values for {rows} rows; give as many")
    places = pl.Series(range(1, len(names) + 1), dtype=pl.UInt32)
    column = values.replace_strict(names["value"], places, default=0, return_dtype=pl.UInt32)
    return column.fill_null(0).to_numpy(), names["name"].to_list()


def _rows_by_place(places: Places) -> list[tuple[int, Integers]]:
    """Return each place with its rows, ascending."""
    counts = np.bincount(places)
    order = np.argsort(places, kind="stable")
    held = np.flatnonzero(counts)
    parts = np.split(order, np.cumsum(counts[held])[:-1]) if len(held) else []
    return list(zip(held.tolist(), parts, strict=True))
