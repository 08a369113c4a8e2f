"""Matches beside the truth: precision, recall, ranking, calibration and coverage.

A signal is matched by its best candidate where he is declared; the figures of best candidates count
him whether he is or not, so that they do not depend on where a threshold lies.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from calibration import calibration_ratio
from matching.figures import (
    AttributeFigures,
    GroupFigures,
    MethodFigures,
    OutsiderFigures,
    attribute_figures,
    by_key,
    by_method,
    group_figures,
    outsider_figures,
    share_of,
)
from warehouse.database import Warehouse
from warehouse.errors import InputFileError, InsufficientDataError

ATTRIBUTES: Final = ("address", "user_agent", "screen", "city", "language", "timezone")
LOOKBACK_DAYS: Final = 30
"""Log days, the signal's own included, in which several users make its address a shared one."""


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
        Signals declared to be of a user, and of the right one.
    precision : float
        correct / matched; None where nothing was matched.
    recall : float
        correct / of_users; 0 where there are none.
    f1 : float
        Harmonic mean of precision and recall.
    identified_of_users : int
        Signals of users with an identifier that the platform knew by the end of their day.
    recall_of_identified : float
        Of these the share that was given the right user; 0 where there are none.
    calibration_ratio : float or None
        Sum of the match probabilities over correct matches; None where none is correct.
    by_method : tuple of MethodFigures
        The same by the method that decided.
    all_signals, probabilistic : GroupFigures
        The best candidates of all signals, and of those that no identifier gave a user.
    by_advertiser : tuple of GroupFigures
        The probabilistic ones by advertiser_id.
    by_shared_address : tuple of GroupFigures
        The probabilistic ones by whether several users of the lookback window showed the signal's
        address: shared, not_shared.
    by_attribute : tuple of AttributeFigures
        All signals by what they show.
    outsiders : OutsiderFigures
        Signals of nobody on the platform.
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
    all_signals: GroupFigures
    probabilistic: GroupFigures
    by_advertiser: tuple[GroupFigures, ...]
    by_shared_address: tuple[GroupFigures, ...]
    by_attribute: tuple[AttributeFigures, ...]
    outsiders: OutsiderFigures

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
    signals = _signals(warehouse, truth)
    matches = signals.filter("declared")
    correct = len(matches.filter("correct"))
    of_users = len(signals.filter("of_user"))
    identified = signals.filter("identified", "of_user")
    model = warehouse.query("matching/evaluate_model")
    estimated = None if model.is_empty() else float(model["outsiders"].item())
    probabilistic = signals.filter(pl.col("method").fill_null("model") == "model")
    shared = pl.when("shared_address").then(pl.lit("shared")).otherwise(pl.lit("not_shared"))
    return Evaluation(
        signals=len(signals),
        of_users=of_users,
        matched=len(matches),
        correct=correct,
        precision=share_of(correct, len(matches)) if len(matches) else None,
        recall=share_of(correct, of_users),
        f1=share_of(2 * correct, len(matches) + of_users),
        identified_of_users=len(identified),
        recall_of_identified=share_of(
            len(identified.filter("declared", "correct")), len(identified)
        ),
        calibration_ratio=(
            calibration_ratio(matches["correct"], matches["match_probability"]) if correct else None
        ),
        by_method=by_method(matches),
        all_signals=group_figures("all_signals", signals),
        probabilistic=group_figures("probabilistic", probabilistic),
        by_advertiser=by_key(probabilistic, pl.col("advertiser_id")),
        by_shared_address=by_key(probabilistic, shared),
        by_attribute=tuple(
            attribute_figures(signals, name, present=present)
            for name in ATTRIBUTES
            for present in (True, False)
        ),
        outsiders=outsider_figures(signals, estimated),
    )


def _signals(warehouse: Warehouse, truth: Path) -> pl.DataFrame:
    """Return the rows of sql/matching/evaluate.sql."""
    known = read_truth(truth)
    warehouse.execute("matching/evaluate_shared_addresses", lookback_days=LOOKBACK_DAYS)
    with warehouse.frame("truth", known):
        signals = warehouse.query("matching/evaluate")
    if signals.is_empty():
        raise InsufficientDataError(
            f"{truth}: none of its signals is in {warehouse.path}. Name the truth of these logs."
        )
    return signals


def read_truth(path: Path) -> pl.DataFrame:
    """Return signal_id and user_id of a Parquet file, one row a signal.

    Raises
    ------
    InputFileError
        If it cannot be read or lacks a column.
    """
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
