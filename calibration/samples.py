"""Outcomes, probabilities and weights: read once, checked once, and never copied needlessly."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from calibration.errors import InvalidSampleError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_LIGHTEST: Final = 1e-50
_HEAVIEST: Final = 1e50
_ROWS_AT_ONCE: Final = 1_000_000  # the checks look at parts, so that they need no second copy


@dataclass(frozen=True)
class Sample:
    """Rows that a figure is computed of.

    Attributes
    ----------
    happened : ndarray of bool, shape (n,)
        Whether the event happened.
    probability : ndarray of float64, shape (n,)
        What was predicted, within [0, 1].
    weight : ndarray of float64, shape (n,), or None
        Row weights, at least 0 and not all 0; None when every row counts 1.
    """

    happened: Bools
    probability: Floats
    weight: Floats | None

    @classmethod
    def of(
        cls,
        y_true: npt.ArrayLike,
        y_prob: npt.ArrayLike,
        weight: npt.ArrayLike | None = None,
    ) -> Self:
        """Check and hold what the public functions take; arrays of the right type are not copied.

        Parameters
        ----------
        y_true : array_like of shape (n,)
            1 (or true) where the event happened, else 0.
        y_prob : array_like of shape (n,)
            Probabilities in [0, 1].
        weight : array_like of shape (n,), optional
            Row weights, at least 0; all 1 when omitted.

        Raises
        ------
        InvalidSampleError
            If there is no row, the lengths differ, a value is masked, NaN or outside its range
            (of weights, 1e50), or no weight is above 1e-50: squares of others are no floats.
        """
        outcomes, probability = as_array(y_true, "y_true"), as_floats(y_prob, "y_prob")
        weights = None if weight is None else as_floats(weight, "weight")
        columns = {"y_true": outcomes, "y_prob": probability, "weight": weights}
        shapes = {name: values.shape for name, values in columns.items() if values is not None}
        if any(len(shape) != 1 for shape in shapes.values()) or len(set(shapes.values())) > 1:
            told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InvalidSampleError(f"shapes {told}: give vectors of one length")
        if not len(outcomes):
            raise InvalidSampleError("y_true and y_prob are empty: give at least one row")
        happened = _happened(outcomes)
        _within(probability, "y_prob", 1.0, "probabilities within [0, 1]")
        if weights is not None:
            _within(weights, "weight", _HEAVIEST, f"weights from 0 to {_HEAVIEST:g}")
            if not weights.max() >= _LIGHTEST:
                raise InvalidSampleError(
                    f"weight: none is above {_LIGHTEST:g}, so no row counts; give some above 0"
                )
        return cls(happened, probability, weights)

    def __len__(self) -> int:
        return len(self.happened)

    @property
    def size(self) -> float:
        """The sum of the weights; the number of rows without any."""
        return float(len(self)) if self.weight is None else float(self.weight.sum())

    @property
    def events(self) -> float:
        """The weight of the rows where the event happened."""
        if self.weight is None:
            return float(np.count_nonzero(self.happened))
        return float(np.sum(self.weight, where=self.happened))

    @property
    def expected(self) -> float:
        """The weighted sum of the probabilities."""
        if self.weight is None:
            return float(self.probability.sum())
        return float(self.weight @ self.probability)


def as_array(values: npt.ArrayLike, name: str) -> npt.NDArray[np.generic]:
    """Return values as an array.

    Raises
    ------
    InvalidSampleError
        If some are masked, they are times or complex, or rows are of several lengths.
    """
    if isinstance(values, np.ma.MaskedArray) and (masked := int(np.ma.getmaskarray(values).sum())):
        raise InvalidSampleError(
            f"{name}: {masked} of {values.size} values are masked; fill or drop them"
        )
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InvalidSampleError(f"{name} is no vector: {error}; give a list or array") from None
    if array.dtype.kind in "mM" or (array.dtype == object and _has_times(array)):
        raise InvalidSampleError(
            f"{name} holds times or durations: give numbers in one unit, of durations such as "
            ".dt.total_seconds() / 3600"
        )
    if array.dtype.kind == "c":
        raise InvalidSampleError(f"{name} holds complex numbers: give real ones, such as .real")
    return array


def as_floats(values: npt.ArrayLike, name: str) -> Floats:
    """Return values as floats; refuse what :func:`as_array` refuses, and what is no number."""
    array = as_array(values, name)
    try:
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidSampleError(
            f"{name} holds values that are not numbers: {error}; give numbers"
        ) from None


def _has_times(array: npt.NDArray[np.generic]) -> bool:
    times = (timedelta, date, np.timedelta64, np.datetime64)
    return any(isinstance(value, times) for value in array.ravel()[:_ROWS_AT_ONCE])


def _happened(outcomes: npt.NDArray[np.generic]) -> Bools:
    """Return outcomes as booleans; anything but 0 and 1 is refused."""
    if outcomes.dtype == np.bool_:
        return np.asarray(outcomes)
    try:
        happened = np.asarray(outcomes == 1, dtype=np.bool_)
        wrong = ~(happened | np.asarray(outcomes == 0, dtype=np.bool_))
    except (TypeError, ValueError):
        wrong = np.ones(len(outcomes), dtype=np.bool_)
    if wrong.any():
        raise InvalidSampleError(
            f"y_true: {np.count_nonzero(wrong)} of {len(outcomes)} values are neither 0 nor 1, "
            f"first {outcomes[np.argmax(wrong)]} in row {np.argmax(wrong)}; give 1 where the event "
            "happened, else 0"
        )
    return happened


def _within(values: Floats, name: str, highest: float, wanted: str) -> None:
    """Refuse values below 0, above the highest, or NaN."""
    wrong, first = 0, None
    for start in range(0, len(values), _ROWS_AT_ONCE):
        part = values[start : start + _ROWS_AT_ONCE]
        outside = ~((part >= 0) & (part <= highest))
        if outside.any():
            wrong += int(np.count_nonzero(outside))
            place = int(np.argmax(outside))
            first = (start + place, float(part[place])) if first is None else first
    if first is not None:
        row, value = first
        raise InvalidSampleError(
            f"{name}: {wrong} of {len(values)} values are out of range, first {value} in row "
            f"{row}; give {wanted}"
        )
