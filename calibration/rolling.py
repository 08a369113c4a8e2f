"""What if: which calibrator would have been best on the next day, rolling forward."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from calibration.binned_errors import expected_calibration_error
from calibration.calibrators import require_calibrator
from calibration.errors import CalibrationError, InsufficientDataError, InvalidSampleError
from calibration.frames import frame_sample, require_columns, require_days
from calibration.metrics import brier_score, calibration_ratio, log_loss
from calibration.options import require_level, require_whole
from calibration.samples import Floats, Sample
from calibration.segmented import SegmentedCalibrator

AS_IT_IS: Final = "as it is"
_FIGURES: Final = ("log_loss", "brier", "ratio", "error")
_COMPARED: Final = ("log_loss", "brier", "error")


class Fitted(Protocol):
    """A calibrator that has learned."""

    def predict(self, y_prob: npt.NDArray[np.float64], /) -> npt.ArrayLike:
        """Return calibrated probabilities."""


class Calibrator(Protocol):
    """What can learn from a sample; ``fit`` may return itself."""

    def fit(
        self,
        y_true: npt.NDArray[np.bool_],
        y_prob: npt.NDArray[np.float64],
        *,
        weight: npt.NDArray[np.float64] | None = None,
    ) -> Fitted:
        """Return what has learned from outcomes, probabilities and row weights."""


@dataclass(frozen=True)
class RollForward:
    """How calibrators would have done.

    Attributes
    ----------
    days : DataFrame
        One row a day and name, "as it is" first: day, name, log_loss, brier, ratio (expected over
        events, null without events) and error (expected calibration error, 15 bins of equal width).
        The figures are null on days for which a calibrator could not be fitted.
    summary : DataFrame
        One row a name and figure (log_loss, brier, error): days, mean (over days), difference (mean
        of the daily differences to "as it is" on the same days; below 0 is better) with low and
        high, its t-interval over days, null where there are fewer than two. Days count equally.
        Days learn from overlapping ones, and the interval takes them for independent.
    """

    days: pl.DataFrame
    summary: pl.DataFrame


def roll_forward(
    frame: pl.DataFrame,
    *,
    calibrators: Mapping[str, Calibrator],
    day: str = "day",
    train_days: int = 7,
    y_true: str = "y_true",
    y_prob: str = "y_prob",
    weight: str | None = None,
    segments: str | None = None,
    level: float = 0.95,
) -> RollForward:
    """Fit on some days, predict the next one, and go on a day, for each calibrator.

    No day is predicted by a fit that saw it or a later one. Labels are taken as the frame has them:
    where events arrive late, give only those that are final.

    Parameters
    ----------
    frame : DataFrame
        Rows of a sample; those of weight 0 are as if absent.
    calibrators : mapping of str to Calibrator
        By the name under which they are reported; "as it is" is taken.
    day : str
        Column of the day: a date, or a number.
    train_days : int
        How many days with rows each fit sees, just before the one that is predicted.
    y_true, y_prob, weight : str
        Columns of the sample; the weights are handed to the calibrators.
    segments : str, optional
        Column of the segments of a :class:`~calibration.segmented.SegmentedCalibrator`, which needs
        them; other calibrators do not see them.
    level : float
        Of the intervals.

    Raises
    ------
    InsufficientDataError
        If there are no more days than one fit sees.
    InvalidSampleError
        If a column is missing, a day is null, an option is out of range, or a calibrator returns
        what is no probability.
    """
    require_level(level)
    train_days = require_whole(train_days, "train_days")
    _require_calibrators(calibrators, segments)
    names, first, sample, cells = _by_day(frame, day, y_true, y_prob, weight, segments)
    if len(names) <= train_days:
        raise InsufficientDataError(
            f"{len(names)} days: give more than the {train_days} that a fit sees"
        )
    rows = []
    for place in range(train_days, len(names)):
        past = _slice(sample, first[place - train_days], first[place])
        today = _slice(sample, first[place], first[place + 1])
        rows.append((names[place], AS_IT_IS, *_figures(today)))
        for name, calibrator in calibrators.items():
            told = f"calibrator {name}, {day} {names[place]}"
            if cells is not None and isinstance(calibrator, SegmentedCalibrator):
                begin, split, end = first[place - train_days], first[place], first[place + 1]
                calibrator = _OfSegments(calibrator, cells[begin:split], cells[split:end])
            rows.append((names[place], name, *_next_day(calibrator, past, today, told)))
    schema: dict[str, pl.DataType | type[pl.DataType]] = {"day": names.dtype, "name": pl.String}
    days = pl.DataFrame(rows, schema=schema | dict.fromkeys(_FIGURES, pl.Float64), orient="row")
    return RollForward(days, _summary(days, level))


@dataclass(frozen=True)
class _OfSegments:
    """A segmented calibrator that knows the segments of the rows it fits and of those it predicts.

    Attributes
    ----------
    calibrator : SegmentedCalibrator
    past, today : Series
        The segments of those it fits, and of those it predicts.
    """

    calibrator: SegmentedCalibrator
    past: pl.Series
    today: pl.Series

    def fit(
        self,
        y_true: npt.NDArray[np.bool_],
        y_prob: npt.NDArray[np.float64],
        *,
        weight: npt.NDArray[np.float64] | None = None,
    ) -> Self:
        """Return one that has learned."""
        fitted = self.calibrator.fit(y_true, y_prob, weight=weight, segments=self.past)
        return replace(self, calibrator=fitted)

    def predict(self, y_prob: npt.NDArray[np.float64], /) -> Floats:
        """Return calibrated probabilities."""
        return self.calibrator.predict(y_prob, segments=self.today)


def _require_calibrators(calibrators: Mapping[str, Calibrator], segments: str | None) -> None:
    if AS_IT_IS in calibrators:
        raise CalibrationError(f'no calibrator may be called "{AS_IT_IS}": name it otherwise')
    for name, calibrator in calibrators.items():
        require_calibrator(calibrator)
        if isinstance(calibrator, SegmentedCalibrator) and segments is None:
            raise CalibrationError(
                f"calibrator {name} is segmented: name the column of the segments, segments=..."
            )


def _by_day(
    frame: pl.DataFrame,
    day: str,
    y_true: str,
    y_prob: str,
    weight: str | None,
    segments: str | None,
) -> tuple[pl.Series, list[int], Sample, pl.Series | None]:
    """Return the days, where each begins (and all end), the rows by day, and their segments."""
    read = partial(frame_sample, y_true=y_true, y_prob=y_prob, weight=weight)
    require_days(frame, day)
    require_columns(frame, [segments] if segments else [])
    read(frame)
    kept = frame.filter(pl.col(weight) > 0) if weight else frame
    kept = kept.select({day, *(name for name in (y_true, y_prob, weight, segments) if name)})
    kept = kept.sort(day, maintain_order=True)
    counts = kept[day].rle()
    ends = counts.struct.field("len").cum_sum().to_list()
    cells = kept[segments] if segments else None
    return counts.struct.field("value"), [0, *ends], read(kept), cells


def _slice(sample: Sample, start: int, end: int) -> Sample:
    weight = None if sample.weight is None else sample.weight[start:end]
    return Sample(sample.happened[start:end], sample.probability[start:end], weight)


def _next_day(
    calibrator: Calibrator, past: Sample, today: Sample, told: str
) -> tuple[float | None, ...]:
    """Return the figures of a day; None where the past is not enough to learn from."""
    try:
        fitted = calibrator.fit(past.happened, past.probability, weight=past.weight)
    except InsufficientDataError:
        return (None,) * len(_FIGURES)
    try:
        predicted = fitted.predict(today.probability)
        return _figures(Sample.of(today.happened, predicted, today.weight))
    except CalibrationError as error:
        raise InvalidSampleError(f"{told}: {error}") from error


def _figures(sample: Sample) -> tuple[float | None, ...]:
    """Return log loss, Brier score, ratio and expected calibration error."""
    rows, weight = (sample.happened, sample.probability), sample.weight
    return (
        log_loss(*rows, weight=weight),
        brier_score(*rows, weight=weight),
        calibration_ratio(*rows, weight=weight) if sample.events else None,
        expected_calibration_error(*rows, weight=weight),
    )


def _summary(days: pl.DataFrame, level: float) -> pl.DataFrame:
    """Return means and differences to "as it is" by name and figure."""
    base = days.filter(pl.col("name") == AS_IT_IS).select("day", *_COMPARED)
    rows: list[tuple[str, str, int, float | None, float | None, float | None, float | None]] = []
    for (name,), part in days.group_by("name", maintain_order=True):
        both = part.join(base, on="day", suffix="_base").drop_nulls("log_loss")
        for figure in _COMPARED:
            values: Floats = both[figure].to_numpy()
            gains = values - both[f"{figure}_base"].to_numpy()
            count = len(values)
            mean = float(gains.mean()) if count else None
            reach = None
            if count > 1:
                error = float(gains.std(ddof=1)) / count**0.5
                reach = float(stats.t.ppf((1 + level) / 2, count - 1)) * error
            ends = [None if mean is None or reach is None else mean + s * reach for s in (-1, 1)]
            average = float(values.mean()) if count else None
            rows.append((str(name), figure, count, average, mean, ends[0], ends[1]))
    columns = ("mean", "difference", "low", "high")
    schema = {"name": pl.String, "figure": pl.String, "days": pl.Int64}
    return pl.DataFrame(rows, schema=schema | dict.fromkeys(columns, pl.Float64), orient="row")
