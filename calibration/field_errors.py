"""Calibration error over the segments of a frame: absolute (Field-ECE) and relative (Field-RCE).

References
----------
Pan et al., "Field-aware calibration: a simple and empirically strong method for reliable
probabilistic predictions", The Web Conference 2020.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from calibration.errors import CalibrationError
from calibration.frames import frame_sample, require_columns
from calibration.rows import parts
from calibration.samples import Floats

EPSILON: Final = 0.01
_ROWS_AT_ONCE: Final = 1_000_000


@dataclass(frozen=True)
class FieldErrors:
    """Errors over segments; both are too high by chance, the more so the smaller the segments.

    Attributes
    ----------
    expected : float
        Field-ECE: mean over rows of the distance of mean probability and rate in their segment.
    relative : float
        Field-RCE: mean over rows of that distance over the rate of their segment plus epsilon.
    segments : int
        How many segments hold any weight.
    without_events : int
        In how many of them no event happened.
    """

    expected: float
    relative: float
    segments: int
    without_events: int


def field_calibration_error(
    frame: pl.DataFrame,
    *,
    by: str | Sequence[str],
    y_true: str = "y_true",
    y_prob: str = "y_prob",
    weight: str | None = None,
    epsilon: float = EPSILON,
) -> FieldErrors:
    """Return Field-ECE and Field-RCE (Pan et al. 2020) over the segments of one or more columns.

    A segment is one combination of values that occurs; null is a value of its own, and so is NaN.
    Of a segment without events, or with few, the relative error is kept finite as in the paper:
    each row adds ``epsilon`` to the events of its segment. Such a segment still counts much, its
    mean probability over ``epsilon``, which is why their number is told.

    Parameters
    ----------
    frame : DataFrame
        One row an outcome, in any order.
    by : str or sequence of str
        Columns whose combinations are the segments.
    y_true, y_prob : str
        Columns of outcomes (0 or 1) and of probabilities in [0, 1].
    weight : str, optional
        Column of row weights, at least 0; all 1 when omitted.
    epsilon : float
        Events added for each row, above 0. At base rates near it or below, choose it smaller.

    Raises
    ------
    CalibrationError
        If no column is named, or epsilon is not above 0.
    InvalidSampleError
        If a column is missing, there is no row, a value is null, or is outside its range.
    """
    check_epsilon(epsilon)
    sample = frame_sample(frame, y_true=y_true, y_prob=y_prob, weight=weight)
    segment, count = segment_codes(frame, by)
    gaps, events, size = np.zeros(count), np.zeros(count), np.zeros(count)
    start = 0
    for part in parts(sample):
        place = segment[start : start + len(part.happened)]
        start += len(place)
        happened = part.happened.astype(np.float64)
        gaps += np.bincount(place, part.weigh(part.probability - happened), count)
        events += np.bincount(place, part.weigh(happened), count)
        size += np.bincount(place, part.weight, count)
    held = size > 0
    sums = np.concatenate((gaps[held], events[held], size[held]))[None, :]
    return FieldErrors(
        expected=float(absolute_error(sums)[0]),
        relative=float(relative_error(sums, epsilon)[0]),
        segments=int(np.count_nonzero(held)),
        without_events=int(np.count_nonzero(events[held] == 0)),
    )


def absolute_error(sums: Floats) -> Floats:
    """Return Field-ECE of k samples from gaps, events and weights of s segments, shape (k, 3s)."""
    gaps, _, size = np.split(sums, 3, axis=1)
    error: Floats = np.abs(gaps).sum(axis=1) / size.sum(axis=1)
    return error


def relative_error(sums: Floats, epsilon: float) -> Floats:
    """Return Field-RCE of k samples from gaps, events and weights of s segments, shape (k, 3s)."""
    gaps, events, size = np.split(sums, 3, axis=1)
    least = np.where(size > 0, events + epsilon * size, 1.0)  # an empty segment adds nothing
    error: Floats = (size * np.abs(gaps) / least).sum(axis=1) / size.sum(axis=1)
    return error


def check_epsilon(epsilon: float) -> None:
    """Refuse an epsilon that is not above 0."""
    if not epsilon > 0:
        raise CalibrationError(f"epsilon is {epsilon}: give a number above 0")


def segment_codes(
    frame: pl.DataFrame, by: str | Sequence[str]
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return a number from 0 for each row, equal where the columns are, and how many there are.

    The numbers ascend with the values, so they do not depend on the order of the rows.

    Raises
    ------
    CalibrationError
        If no column is named.
    InvalidSampleError
        If one is missing.
    """
    columns = [by] if isinstance(by, str) else list(by)
    if not columns:
        raise CalibrationError("by names no column; give at least one")
    require_columns(frame, columns)
    keys = frame.select(pl.col(name).alias(f"key_{i}") for i, name in enumerate(columns))
    segments = keys.unique().sort(keys.columns).with_row_index("segment")
    codes = np.empty(len(frame), dtype=np.uint32)
    for start in range(0, len(frame), _ROWS_AT_ONCE):
        some = keys.slice(start, _ROWS_AT_ONCE)
        joined = some.join(
            segments, on=keys.columns, how="left", nulls_equal=True, maintain_order="left"
        )
        codes[start : start + len(some)] = joined["segment"].to_numpy()
    return codes, len(segments)
