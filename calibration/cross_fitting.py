"""Calibrated probabilities of the very rows that a calibrator learns from, honestly."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.calibrators import Calibrator, require_calibrator
from calibration.errors import InsufficientDataError, InvalidSampleError
from calibration.options import require_whole
from calibration.samples import Bools, Floats, Sample
from calibration.segmented import Labels, SegmentedCalibrator

Integers = npt.NDArray[np.int64]
Folds = npt.NDArray[np.int32]

FOLDS: Final = 5
_ROWS_AT_ONCE: Final = 500_000


def cross_fit(
    calibrator: Calibrator,
    y_true: npt.ArrayLike,
    y_prob: npt.ArrayLike,
    *,
    seed: int,
    folds: int = FOLDS,
    groups: Labels | None = None,
    segments: Labels | None = None,
    weight: npt.ArrayLike | None = None,
) -> Floats:
    """Return the probability of each row from a fit that saw neither it nor its group.

    Rows, or groups, are dealt to the folds at random, those with an event first, so that the folds
    have about as many. The same arguments give the same result. A row of weight 0 gets a
    probability and changes none. A row of weight 2 counts as two rows of one group.

    Parameters
    ----------
    calibrator : Calibrator
        What is fitted; it need not be fitted before and is not changed.
    y_true : array_like of shape (n,)
        1 where the event happened, else 0.
    y_prob : array_like of shape (n,)
        Scores in [0, 1].
    seed : int
        Of the dealing.
    folds : int
        How many parts, at least 2.
    groups : array_like or Series of shape (n,), optional
        What stays together, such as users; each row by itself when omitted.
    segments : array_like or Series of shape (n,), optional
        For a :class:`SegmentedCalibrator`, the segment of each row.
    weight : array_like of shape (n,), optional
        Row weights, at least 0; all 1 when omitted.

    Raises
    ------
    InsufficientDataError
        If there are fewer rows or groups than folds, or a fit would see one outcome only.
    InvalidSampleError
        If a value is outside its range, a group is null, or segments are given to a calibrator
        that has none.
    """
    sample = Sample.of(y_true, y_prob, weight)
    folds = require_whole(folds, "folds", least=2)
    require_whole(seed, "seed", least=0)
    require_calibrator(calibrator)
    if segments is not None and not isinstance(calibrator, SegmentedCalibrator):
        raise InvalidSampleError(f"segments: the {calibrator.kind} calibrator takes none")
    fold = _dealt(sample, _codes(groups, len(sample)), folds, np.random.default_rng(seed))
    cells = None if segments is None else pl.Series(segments)
    result = np.empty(len(sample))
    for number in range(folds):
        inside = fold == number
        if inside.any():
            result[inside] = _predicted(calibrator, sample, inside, cells, f"{number + 1}/{folds}")
    return result


def _predicted(
    calibrator: Calibrator, sample: Sample, inside: Bools, cells: pl.Series | None, name: str
) -> Floats:
    """Fit to the rows outside and return the probabilities of those inside."""
    outside = ~inside
    weight = None if sample.weight is None else sample.weight[outside]
    learning = (sample.happened[outside], sample.probability[outside])
    try:
        if cells is None or not isinstance(calibrator, SegmentedCalibrator):
            fitted = calibrator.fit(*learning, weight=weight)
            return fitted.predict(sample.probability[inside])
        segmented = calibrator.fit(*learning, weight=weight, segments=cells.filter(outside))
        return segmented.predict(sample.probability[inside], segments=cells.filter(inside))
    except InsufficientDataError as error:
        raise InsufficientDataError(
            f"without fold {name}, {error}, more rows or fewer folds"
        ) from None


def _codes(groups: Labels | None, rows: int) -> Integers | None:
    """Return groups as numbers from 0 on, in the order in which they first occur."""
    if groups is None:
        return None
    values = groups if isinstance(groups, pl.Series) else pl.Series(groups)
    if values.len() != rows:
        raise InvalidSampleError(f"groups: {values.len()} values for {rows} rows; give as many")
    missing = values.null_count() + (int(values.is_nan().sum()) if values.dtype.is_float() else 0)
    if missing:
        raise InvalidSampleError(f"groups: {missing} of {rows} are null; give each row one")
    names = values.unique(maintain_order=True)
    codes = pl.Series(np.arange(len(names)))
    return values.replace_strict(names, codes, return_dtype=pl.Int64).to_numpy()


def _dealt(
    sample: Sample, codes: Integers | None, folds: int, generator: np.random.Generator
) -> Folds:
    """Return the fold of each row; what has no weight is dealt last and so changes no other."""
    counted = np.ones(len(sample), dtype=np.bool_) if sample.weight is None else sample.weight > 0
    events = sample.happened & counted
    if codes is not None:
        number = int(codes.max()) + 1
        counted = np.bincount(codes, weights=counted, minlength=number) > 0
        events = np.bincount(codes, weights=events, minlength=number) > 0
    if np.count_nonzero(counted) < folds:
        kind = "rows" if codes is None else "groups"
        raise InsufficientDataError(
            f"{np.count_nonzero(counted)} {kind} of weight above 0 for {folds} folds; "
            "give fewer folds"
        )
    fold = np.empty(len(counted), dtype=np.int32)
    dealt = 0
    for chosen in (events, counted & ~events, ~counted):
        members = np.flatnonzero(chosen)
        generator.shuffle(members)
        for start in range(0, len(members), _ROWS_AT_ONCE):
            some = members[start : start + _ROWS_AT_ONCE]
            fold[some] = (dealt + np.arange(len(some))) % folds
            dealt += len(some)
    return fold if codes is None else fold[codes]
