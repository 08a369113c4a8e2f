"""What blocking finds and what it leaves out: pair completeness, candidates and reduction.

References
----------
Christen, "Data matching", 2012, chapter 7, for pair completeness and reduction ratio.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Final

import polars as pl

from matching.blocking import find_candidates
from matching.evaluation import read_truth
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError
from warehouse.logs import unknown_day

_COUNTS: Final = ("keys", "keys_used", "keys_dropped", "users_dropped", "found", "found_alone")


@dataclass(frozen=True)
class KeyFigures:
    """What one kind of key brought.

    Attributes
    ----------
    kind : str
        A kind of token, or band.
    keys, keys_used, keys_dropped : int
        Keys of the signals that some user has; those by which candidates were found; and those left
        out, for want of room beside rarer ones.
    users_dropped : int
        Users of the keys left out, each as often as he was.
    found, found_alone : int
        True pairs that it found, and those that no other kind found.
    """

    kind: str
    keys: int
    keys_used: int
    keys_dropped: int
    users_dropped: int
    found: int
    found_alone: int


@dataclass(frozen=True)
class BlockingEvaluation:
    """Figures over the signals that no identifier gave a user, and that no bot sent.

    Attributes
    ----------
    days : int
        Log days.
    truth : str
        What the pairs are compared with: truth, a file; or contacts, where a signal belongs to the
        one user who is known by its e-mail or phone.
    signals : int
        How many look for candidates.
    candidates_mean, candidates_median, candidates_p95 : float
        Candidates of a signal.
    candidates_max : int
        The most.
    reduction_ratio : float
        1 less candidates over all pairs of a signal and a user who was active in its window.
    true_pairs, found_pairs : int
        Signals of a user by the truth, and those that have him among their candidates.
    pair_completeness : float or None
        found_pairs / true_pairs; None where there are none.
    by_kind : tuple of KeyFigures
        The same by kind of key.
    """

    days: int
    truth: str
    signals: int
    candidates_mean: float
    candidates_median: float
    candidates_p95: float
    candidates_max: int
    reduction_ratio: float
    true_pairs: int
    found_pairs: int
    pair_completeness: float | None
    by_kind: tuple[KeyFigures, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the figures as plain values, for JSON."""
        return asdict(self)


def evaluate_blocking(
    warehouse: Warehouse,
    config: ModelConfig,
    *,
    truth: Path | None = None,
    day: date | None = None,
    progress: Callable[[date, float], None] | None = None,
) -> BlockingEvaluation:
    """Find the candidates of stored days anew and compare them with the truth.

    Only temporary tables are made, so that the warehouse may be open for reading.

    Parameters
    ----------
    warehouse : Warehouse
        A warehouse whose days have been matched.
    config : ModelConfig
        How candidates are found.
    truth : Path, optional
        Parquet file with signal_id and user_id (null: of no user). When omitted, signals with an
        e-mail or phone that one user is known by are the truth, matched by it or not.
    day : date, optional
        Only this log day.
    progress : callable, optional
        Told each log day when it begins, and the share of days done.

    Raises
    ------
    InputFileError
        If the file cannot be read or lacks a column, or the day is not stored.
    InsufficientDataError
        If no signal looks for candidates.
    """
    known = None if truth is None else read_truth(truth)
    days = _days(warehouse, day)
    signals, keys = [], []
    for place, log_day in enumerate(days):
        if progress is not None:
            progress(log_day, place / len(days))
        pairs = known
        if pairs is None:
            pairs = warehouse.query("matching/evaluate_contact_truth", day=log_day)
        with warehouse.frame("truth", pairs):
            warehouse.execute(
                "matching/evaluate_judged_signals", day=log_day, by_contact=known is None
            )
        warehouse.execute("matching/evaluate_chosen_signals")
        find_candidates(warehouse, log_day, config)
        signals.append(warehouse.query("matching/evaluate_candidates"))
        keys.append(warehouse.query("matching/evaluate_blocking_keys"))
    return _evaluation(pl.concat(signals), pl.concat(keys), len(days), by_contact=known is None)


def _days(warehouse: Warehouse, day: date | None) -> list[date]:
    first, last = (date.min, date.max) if day is None else (day, day)
    days = warehouse.query("matching/signal_days", first_day=first, last_day=last)["day"].to_list()
    if day is not None and not days:
        raise unknown_day(set(warehouse.query("ledger/stored_days")["day"]), day)
    if not days:
        raise InsufficientDataError(f"{warehouse.path}: no signals. Ingest logs first.")
    return days


def _evaluation(
    signals: pl.DataFrame, keys: pl.DataFrame, days: int, *, by_contact: bool
) -> BlockingEvaluation:
    looking = signals.filter("unmatched")
    if looking.is_empty():
        raise InsufficientDataError(
            "no signal looks for candidates: identifiers gave each a user. Name another day."
        )
    candidates, possible = looking["candidates"], int(looking["active_users"].sum())
    true_pairs = signals.filter("of_user")
    found = int(true_pairs["found"].sum())
    totals = keys.group_by("kind").agg(pl.col(_COUNTS).sum()).sort("kind")
    return BlockingEvaluation(
        days=days,
        truth="contacts" if by_contact else "truth",
        signals=len(looking),
        candidates_mean=float(candidates.cast(pl.Float64).to_numpy().mean()),
        candidates_median=float(candidates.quantile(0.5, "linear") or 0),
        candidates_p95=float(candidates.quantile(0.95, "linear") or 0),
        candidates_max=int(candidates.to_numpy().max()),
        reduction_ratio=1 - int(candidates.sum()) / possible if possible else 1.0,
        true_pairs=len(true_pairs),
        found_pairs=found,
        pair_completeness=found / len(true_pairs) if len(true_pairs) else None,
        by_kind=tuple(KeyFigures(**row) for row in totals.iter_rows(named=True)),
    )
