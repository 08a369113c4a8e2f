"""Signals with an e-mail or a phone → a pair model; the contacts are hidden from its features.

All such signals teach, also those whose contact no user is known by: most of them are of people who
are no users of the platform, and a model that never saw those would be surest where it is wrong.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from matching.blocking import find_candidates
from matching.comparisons import DIRECTIONS, FEATURES, compare_pairs
from matching.held_out_evaluation import held_out_figures
from matching.models import ModelFacts, PairModel
from matching.pair_model import Choices, Fitted, Floats, calibrate, fit_trees
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError
from warehouse.runs import version

CONTACTS: Final = ("email", "phone")
LEAST_PERSONS: Final = 50
_FOLDS: Final = 3
_EARLY: Final = 2 / 3
# Before any is seen: of ten pairs of one person, eight and a half show the same contact.
_PRIOR_PAIRS, _PRIOR_SAME = 10.0, 8.5


@dataclass(frozen=True)
class Lesson:
    """What a model learns from.

    Attributes
    ----------
    pairs : DataFrame
        Candidate pairs, ordered by day and signal_id: the columns of
        :func:`matching.comparisons.compare_pairs`, and person and named_user of the signal.
    signals : DataFrame
        One row for each signal with a contact, with candidates or without, in the same order:
        signal_id, day, advertiser_id, person, named_user, known.
    coverage : DataFrame
        One row a day: users, users_with_email, signals_with_email, signals_with_known_email.
    """

    pairs: pl.DataFrame
    signals: pl.DataFrame
    coverage: pl.DataFrame


@dataclass(frozen=True)
class Trained:
    """A model, and how well trees without its persons did on each signal.

    Attributes
    ----------
    model : PairModel
        The model.
    held_out : DataFrame
        The rows of the table held_out_signals, without model_version.
    """

    model: PairModel
    held_out: pl.DataFrame


def train(warehouse: Warehouse, last_day: date, config: ModelConfig) -> Trained:
    """Train a model on the log days that end with `last_day`.

    Each signal is compared with what was known by the end of its own log day.

    Raises
    ------
    InsufficientDataError
        If too few of the signals are known to be of one of their candidates.
    """
    first_day = last_day - timedelta(days=config.training_days - 1)
    days = warehouse.query("matching/signal_days", first_day=first_day, last_day=last_day)["day"]
    lessons = [_lesson(warehouse, day, config) for day in days]
    if not lessons:
        raise InsufficientDataError(f"no signals from {first_day} to {last_day} to learn from.")
    lesson = _sampled(
        Lesson(
            pl.concat([part.pairs for part in lessons]),
            pl.concat([part.signals for part in lessons]),
            pl.concat([part.coverage for part in lessons]),
        ),
        config,
    )
    same = lesson.pairs.filter(pl.max_horizontal(f"{kind}_same" for kind in CONTACTS) == 1)
    named, persons = same["signal_id"].n_unique(), same["person"].n_unique()
    if persons < LEAST_PERSONS:
        raise InsufficientDataError(
            f"{persons} persons up to {last_day} show the e-mail or phone of a candidate, and a "
            f"model needs {LEAST_PERSONS}. Run more days first."
        )
    return _fit(lesson, days.to_list(), named, config)


def _lesson(warehouse: Warehouse, day: date, config: ModelConfig) -> Lesson:
    """Return what the signals of one day teach that show a contact."""
    warehouse.execute("matching/training_signals", day=day)
    warehouse.execute("matching/chosen_training_signals")
    find_candidates(warehouse, day, config)
    pairs = compare_pairs(warehouse)
    signals = warehouse.query("matching/training_facts")
    persons = signals.select("signal_id", "person", "named_user")
    return Lesson(
        pairs.join(persons, on="signal_id", how="left", maintain_order="left"),
        signals,
        warehouse.query("matching/email_coverage"),
    )


def _sampled(lesson: Lesson, config: ModelConfig) -> Lesson:
    """Return the lesson of at most ``training_signals`` signals, drawn by the hash of their id."""
    if len(lesson.signals) <= config.training_signals:
        return lesson
    order = pl.col("signal_id").hash(config.seed)
    drawn = lesson.signals.sort(order, "signal_id").head(config.training_signals)
    kept = drawn.select("signal_id")
    pairs = lesson.pairs.join(kept, on="signal_id", how="semi", maintain_order="left")
    signals = lesson.signals.join(kept, on="signal_id", how="semi", maintain_order="left")
    return Lesson(pairs, signals, lesson.coverage)


def _fit(lesson: Lesson, days: list[date], named: int, config: ModelConfig) -> Trained:
    import lightgbm  # slow to import, and few commands need it

    pairs = lesson.pairs
    same_contact = {kind: _share_of_same(pairs, kind) for kind in CONTACTS}
    choices = Choices.of(pairs, same_contact)
    fold = (pairs["person"] % _FOLDS).to_numpy()
    scores = np.empty(len(pairs))
    for left_out in range(_FOLDS):
        judged = fold == left_out
        trees = _trees(pairs, choices, ~judged, config)
        scores[judged] = trees.scores(pairs.filter(judged), FEATURES)
    slope, intercept = calibrate(scores, choices)
    whole = _trees(pairs, choices, np.ones(len(pairs), dtype=bool), config)
    calibrated = slope * scores + intercept
    held_out = _held_out(lesson, choices, calibrated)
    told = held_out_figures("held out", held_out, resamples=0)
    facts = ModelFacts(
        features=FEATURES,
        start=whole.start,
        slope=slope,
        intercept=intercept,
        same_contact=same_contact,
        first_day=str(days[0]),
        last_day=str(days[-1]),
        counts={"signals": len(lesson.signals), "pairs": len(pairs), "named": named},
        metrics={
            "average_precision": told.average_precision or 0.0,
            "log_loss": float(choices.losses(calibrated).mean()),
            "calibration_ratio": told.calibration_ratio or 0.0,
            "later_average_precision": _later(lesson, choices, days, config),
            "outsiders": _outsiders(lesson.coverage, same_contact["email"]),
        },
        lookback_days=config.lookback_days,
        candidates=config.candidates,
        seed=config.seed,
        adscribe_version=version(),
        lightgbm_version=lightgbm.__version__,
    )
    return Trained(PairModel(whole.booster, facts), held_out)


def _trees(
    pairs: pl.DataFrame, choices: Choices, chosen: npt.NDArray[np.bool_], config: ModelConfig
) -> Fitted:
    return fit_trees(
        pairs.filter(chosen),
        choices.subset(chosen),
        features=FEATURES,
        directions=DIRECTIONS,
        seed=config.seed,
    )


def _held_out(lesson: Lesson, choices: Choices, scores: Floats) -> pl.DataFrame:
    """Return how the best candidate of each signal did, before his contact is looked at."""
    best = (
        lesson.pairs.select("signal_id", "user_id")
        .with_columns(
            match_probability=choices.probabilities(scores),
            certainty=choices.certainty,
            same=choices.same > 0,
        )
        .sort("signal_id", "match_probability", "user_id", descending=[False, True, False])
        .unique("signal_id", keep="first", maintain_order=True)
        .with_columns(expected=pl.col("certainty") * pl.col("match_probability"))
        .select("signal_id", "match_probability", "expected", "same")
    )
    return (
        lesson.signals.join(best, on="signal_id", how="left", maintain_order="left")
        .with_columns(pl.col("match_probability", "expected").fill_null(0.0))
        .with_columns(pl.col("same").fill_null(value=False))
        .select("day", "advertiser_id", "match_probability", "expected", "same", "known")
    )


def _later(lesson: Lesson, choices: Choices, days: list[date], config: ModelConfig) -> float:
    """Return the average precision on the last third of the days, of persons held out."""
    if len(days) < _FOLDS:
        return 0.0
    split = days[int(len(days) * _EARLY)]
    later = (lesson.pairs["day"] >= split).to_numpy()
    held_out = (lesson.pairs["person"] % _FOLDS == 0).to_numpy()
    learned, judged = ~later & ~held_out, later & held_out
    if not choices.same[learned].any() or not judged.any():
        return 0.0
    trees = _trees(lesson.pairs, choices, learned, config)
    pairs = lesson.pairs.filter(judged)
    signals = lesson.signals.filter(pl.col("day") >= split, pl.col("person") % _FOLDS == 0)
    seen = _held_out(
        Lesson(pairs, signals, lesson.coverage),
        choices.subset(judged),
        trees.scores(pairs, FEATURES),
    )
    return held_out_figures("later", seen, resamples=0).average_precision or 0.0


def _share_of_same(pairs: pl.DataFrame, kind: str) -> float:
    """Return the share of pairs of one person, by other identifiers, that show the same contact."""
    same = pairs.filter(pl.col("named_user") == pl.col("user_id"))[f"{kind}_same"].drop_nulls()
    seen = float(same.cast(pl.Float64).to_numpy().sum())
    return (seen + _PRIOR_SAME) / (len(same) + _PRIOR_PAIRS)


def _outsiders(coverage: pl.DataFrame, same_email: float) -> float:
    """Return the share of signals that are of no user, by the e-mails that no user is known by.

    A signal of a user shows a known e-mail where the platform knows his and it is the same.
    """
    days = coverage.filter(pl.col("users_with_email") > 0, pl.col("signals_with_email") > 0)
    if days.is_empty():
        return 0.0
    told = pl.col("signals_with_email")
    covered = pl.col("users_with_email") / pl.col("users") * same_email
    expected = days.select((told * covered).sum()).item()
    found = float(days["signals_with_known_email"].sum())
    return float(np.clip(1 - found / float(expected), 0, 1))
