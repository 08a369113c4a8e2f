"""Matches beside the truth: precision, recall and coverage."""

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from calibration import calibration_ratio
from warehouse.database import Warehouse
from warehouse.errors import InputFileError, InsufficientDataError


@dataclass(frozen=True)
class MethodFigures:
    """How one method did.

    Attributes
    ----------
    method : str
        The identifier that was followed.
    matched : int
        Signals that it gave a user.
    correct : int
        Of those, signals given the right user.
    precision : float
        correct / matched.
    """

    method: str
    matched: int
    correct: int
    precision: float


@dataclass(frozen=True)
class Evaluation:
    """Figures over the signals that are both in the warehouse and in the truth.

    Attributes
    ----------
    signals : int
        How many there are.
    of_users : int
        Those that belong to a user of the platform.
    matched, correct : int
        Signals given a user, and given the right one.
    precision : float
        correct / matched; None where nothing was matched.
    recall : float
        correct / of_users; 0 where there are none.
    f1 : float
        Harmonic mean of precision and recall.
    identified_of_users : int
        Signals of users with an identifier that the platform knew by the end of their day.
    recall_of_identified : float
        correct / identified_of_users; 0 where there are none.
    calibration_ratio : float or None
        Sum of the match probabilities over correct matches; None where none is correct.
    by_method : tuple of MethodFigures
        The same by the method that decided.
    """

    signals: int
    of_users: int
    matched: int
    correct: int
    precision: float | None
    recall: float
    f1: float
    identified_of_users: int
    recall_of_identified: float
    calibration_ratio: float | None
    by_method: tuple[MethodFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the figures as plain values, for JSON."""
        return asdict(self)


def evaluate(warehouse: Warehouse, truth: Path) -> Evaluation:
    """Compare the matches of a warehouse with the truth.

    Parameters
    ----------
    warehouse : Warehouse
        A warehouse whose days have been matched.
    truth : Path
        Parquet file with signal_id and user_id (null: of no user), one row a signal.

    Raises
    ------
    InputFileError
        If the file cannot be read or lacks a column.
    InsufficientDataError
        If no signal of the warehouse is in it.
    """
    with warehouse.frame("truth", _read_truth(truth)):
        signals = warehouse.query("matching/evaluate")
    if signals.is_empty():
        raise InsufficientDataError(
            f"{truth}: none of its signals is in {warehouse.path}. Name the truth of these logs."
        )
    matches = signals.drop_nulls("method")
    correct = len(matches.filter("correct"))
    of_users = len(signals.filter("of_user"))
    identified = len(signals.filter("identified", "of_user"))
    recall = _share(correct, of_users)
    return Evaluation(
        signals=len(signals),
        of_users=of_users,
        matched=len(matches),
        correct=correct,
        precision=_share(correct, len(matches)) if len(matches) else None,
        recall=recall,
        f1=_share(2 * correct, len(matches) + of_users),
        identified_of_users=identified,
        recall_of_identified=_share(correct, identified),
        calibration_ratio=(
            calibration_ratio(matches["correct"], matches["match_probability"]) if correct else None
        ),
        by_method=_by_method(matches),
    )


def _by_method(matches: pl.DataFrame) -> tuple[MethodFigures, ...]:
    counts = matches.group_by("method").agg(pl.len().alias("matched"), pl.col("correct").sum())
    return tuple(
        MethodFigures(method, matched, correct, _share(correct, matched))
        for method, matched, correct in counts.sort("method").iter_rows()
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _read_truth(path: Path) -> pl.DataFrame:
    try:
        frame = pl.read_parquet(path, glob=False)
        truth = frame.select(pl.col("signal_id").cast(pl.String), pl.col("user_id").cast(pl.String))
    except OSError as error:
        raise InputFileError(
            f"{path}: {error.strerror or 'cannot be read'}. Name the file."
        ) from error
    except pl.exceptions.ColumnNotFoundError as error:
        raise InputFileError(
            f"{path}: needs the columns signal_id and user_id; it has {', '.join(frame.columns)}."
        ) from error
    except pl.exceptions.PolarsError as error:
        raise InputFileError(f"{path}: not a whole Parquet file. Write it again.") from error
    return truth.unique("signal_id", keep="first", maintain_order=True)
