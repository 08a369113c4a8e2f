"""A model learns from whole signals, and is judged on persons that its trees have not seen."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from matching import pair_model, training
from matching.comparisons import FEATURES
from matching.training import (
    Lesson,
    Trained,
    _fit,
    _lesson,
    _outsiders,
    _sampled,
    _share_of_same,
    train,
)
from tests.matching.tiny_worlds import DAY, FIRST, LOOKBACK, insert, make_world, store
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError

DAYS = [date(2026, 3, 1) + timedelta(days=n) for n in range(3)]
SIGNALS, PERSONS = 900, 500
CONFIG = ModelConfig(training_days=3)


@pytest.fixture(scope="module", autouse=True)
def few_trees() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model._PARAMETERS, "num_threads", 1)
        patch.setitem(pair_model.fit_trees.__kwdefaults__, "rounds", 12)
        yield


def make_lesson(seed: int) -> Lesson:
    """Return signals of three days with candidates, of whom address_count tells the person."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 4, SIGNALS)
    persons = rng.integers(0, PERSONS, SIGNALS)
    owner = np.repeat(np.arange(SIGNALS), counts)
    is_person = rng.random(len(owner)) < 0.3
    shows = rng.random(len(owner)) < 0.85
    features = rng.normal(size=(len(owner), len(FEATURES)))
    features[:, 0] += 4 * is_person
    found = np.bincount(owner, weights=is_person & shows, minlength=SIGNALS) > 0
    days = [DAYS[n * len(DAYS) // SIGNALS] for n in range(SIGNALS)]
    names = [f"s{n:04d}" for n in range(SIGNALS)]
    signals = pl.DataFrame(
        {
            "signal_id": names,
            "day": days,
            "advertiser_id": [f"a{n % 2}" for n in range(SIGNALS)],
            "person": pl.Series(persons, dtype=pl.UInt64),
            "named_user": pl.Series([None] * SIGNALS, dtype=pl.String),
            "known": found | (rng.random(SIGNALS) < 0.1),  # else he is no candidate
        }
    )
    pairs = pl.DataFrame(features, schema=FEATURES).with_columns(
        signal_id=pl.Series([names[n] for n in owner]),
        user_id=pl.Series([f"u{n:05d}" for n in range(len(owner))]),
        day=pl.Series([days[n] for n in owner]),
        advertiser_id=pl.Series([f"a{n % 2}" for n in owner]),
        email_same=pl.Series((is_person & shows).astype(int)),
        phone_same=pl.Series([None] * len(owner), dtype=pl.Int32),
        person=pl.Series(persons[owner], dtype=pl.UInt64),
        named_user=pl.Series([None] * len(owner), dtype=pl.String),
    )
    coverage = pl.DataFrame(
        {
            "users": [100, 100, 100],
            "users_with_email": [50, 50, 0],
            "signals_with_email": [40, 60, 10],
            "signals_with_known_email": [10, 15, 0],
        }
    )
    return Lesson(pairs, signals, coverage)


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return make_lesson(1)


@pytest.fixture(scope="module")
def trained(lesson: Lesson) -> Trained:
    return _fit(lesson, DAYS, 99, CONFIG)


def test_no_signal_is_judged_by_trees_that_saw_its_person(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned, plain_fit, plain_scores = [], training.fit_trees, training.Fitted.scores
    judged = []

    def fit(pairs: pl.DataFrame, choices: object, **options: object) -> object:
        trees = plain_fit(pairs, choices, **{**options, "rounds": 1})
        learned.append((trees, set(pairs["person"]), pairs["day"].max()))
        return trees

    def scores(trees: object, pairs: pl.DataFrame, features: object) -> object:
        (told,) = [(people, last) for known, people, last in learned if known is trees]
        judged.append((told, set(pairs["person"]), pairs["day"].min(), len(pairs)))
        return plain_scores(trees, pairs, features)

    monkeypatch.setattr(training, "fit_trees", fit)
    monkeypatch.setattr(training.Fitted, "scores", scores)
    _fit(lesson, DAYS, 99, CONFIG)
    assert len(judged) == 4
    for (people, _), of, _, _ in judged:
        assert not people & of
    assert sum(count for *_, count in judged[:3]) == len(lesson.pairs)
    (_, last), _, first, _ = judged[3]
    assert last < first  # the later days are judged by trees of the days before
    assert {len(people) for _, people, _ in learned} != {PERSONS}
    assert max(len(people) for _, people, _ in learned) == lesson.pairs["person"].n_unique()


def test_every_signal_is_held_out_once_with_its_best_candidate(
    lesson: Lesson, trained: Trained
) -> None:
    held_out = trained.held_out
    assert len(held_out) == SIGNALS
    told = ["day", "advertiser_id", "known"]
    assert held_out.select(told).equals(lesson.signals.select(told))
    alone = ~lesson.signals["signal_id"].is_in(lesson.pairs["signal_id"].unique().implode())
    assert held_out.filter(alone)["match_probability"].to_list() == [0.0] * alone.sum()
    assert not held_out.filter(alone)["same"].any()
    assert (held_out["expected"] <= held_out["match_probability"]).all()
    share = trained.model.facts.same_contact["email"]
    assert held_out["expected"].to_list() == pytest.approx(
        (held_out["match_probability"] * share).to_list()
    )
    found = held_out.filter("same")["match_probability"].mean()
    assert found > held_out.filter(~pl.col("same") & ~alone)["match_probability"].mean() + 0.1


def test_the_facts_of_a_model_tell_what_it_learned_from(lesson: Lesson, trained: Trained) -> None:
    facts = trained.model.facts
    assert facts.features == FEATURES
    assert (facts.first_day, facts.last_day) == (str(DAYS[0]), str(DAYS[-1]))
    assert facts.counts == {"signals": SIGNALS, "pairs": len(lesson.pairs), "named": 99}
    assert facts.metrics["calibration_ratio"] == pytest.approx(1, abs=0.15)
    assert 0.5 < facts.metrics["average_precision"] <= 1
    assert 0.5 < facts.metrics["later_average_precision"] <= 1
    assert set(facts.metrics) == {
        "average_precision", "log_loss", "calibration_ratio", "later_average_precision", "outsiders"
    }  # fmt: skip


def test_the_same_lesson_makes_the_same_model(lesson: Lesson, trained: Trained) -> None:
    again = _fit(lesson, DAYS, 99, CONFIG)
    assert again.model.version == trained.model.version
    assert again.held_out.equals(trained.held_out)
    other = _fit(lesson, DAYS, 99, CONFIG.model_copy(update={"seed": 2}))
    assert other.model.version != trained.model.version


def test_a_sample_is_of_whole_signals_and_a_smaller_one_is_part_of_it(lesson: Lesson) -> None:
    samples = [_sampled(lesson, ModelConfig(training_signals=most)) for most in (100, 400, SIGNALS)]
    assert [len(sample.signals) for sample in samples] == [100, 400, SIGNALS]
    few, many, everything = (set(sample.signals["signal_id"]) for sample in samples)
    assert few < many < everything
    for sample in samples:
        own = lesson.pairs.join(sample.signals.select("signal_id"), on="signal_id", how="semi")
        assert sample.pairs.equals(own.sort("signal_id", "user_id"))
        assert sample.signals["signal_id"].is_sorted()
    assert samples[2] is lesson
    other = _sampled(lesson, ModelConfig(training_signals=400, seed=2))
    assert set(other.signals["signal_id"]) != many
    per_day = samples[1].signals.group_by("day").len()["len"]
    assert per_day.min() > 100


def test_the_share_of_the_same_contact_is_that_of_persons_known_otherwise() -> None:
    pairs = pl.DataFrame(
        {
            "user_id": ["u1", "u1", "u1", "u2", "u1", "u1"],
            "named_user": ["u1", "u1", "u1", "u1", None, "u1"],
            "email_same": [1, 1, 0, 0, 0, None],
        }
    )
    assert _share_of_same(pairs, "email") == pytest.approx((2 + 8.5) / (3 + 10))
    assert _share_of_same(pairs.head(0), "email") == pytest.approx(0.85)


def test_outsiders_are_whom_known_emails_do_not_account_for(lesson: Lesson) -> None:
    # half of the users have an e-mail, 0.8 of which are the same: 40 of 100, of which 25 are seen
    assert _outsiders(lesson.coverage, 0.8) == pytest.approx(1 - 25 / 40)
    assert _outsiders(lesson.coverage, 0.3) == 0
    assert _outsiders(lesson.coverage.head(0), 0.8) == 0


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store(warehouse, make_world(3, signals=60))
        yield warehouse


def test_a_lesson_has_the_signals_of_a_day_that_show_a_contact(warehouse: Warehouse) -> None:
    world = make_world(3, signals=60)
    lesson = _lesson(warehouse, DAY, ModelConfig(lookback_days=LOOKBACK))
    telling = {
        said["signal_id"] for said in world.signal_identifiers if said["kind"] in ("email", "phone")
    }
    expected = {
        str(row["signal_id"])
        for row in world.signals
        if row["day"] == DAY and row["is_bot"] is not True and row["signal_id"] in telling
    }
    assert set(lesson.signals["signal_id"]) == expected
    assert lesson.signals["signal_id"].is_sorted()
    assert set(lesson.pairs["signal_id"]) <= expected
    assert lesson.pairs["person"].null_count() == 0
    assert {True, False} == set(lesson.signals["known"])
    of_contact = lesson.pairs.filter(pl.max_horizontal("email_same", "phone_same") == 1)
    known = lesson.signals.filter("known")["signal_id"]
    assert set(of_contact["signal_id"]) <= set(known)
    coverage = lesson.coverage.row(0, named=True)
    with_email = {s["signal_id"] for s in world.signal_identifiers if s["kind"] == "email"}
    assert coverage["signals_with_email"] == len(expected & with_email)
    active = [row for row in world.activity if FIRST <= row["day"] <= DAY and not row["is_bot"]]
    assert coverage["users"] == len({row["user_id"] for row in active})
    holders = {row["user_id"] for row in active if row["email_digest"]}
    assert coverage["users_with_email"] == len(holders)


def test_a_period_without_signals_teaches_nothing(warehouse: Warehouse) -> None:
    with pytest.raises(InsufficientDataError, match="no signals from"):
        train(warehouse, DAY - timedelta(days=50), ModelConfig())


def test_only_the_training_days_are_learned_from_and_too_few_named_signals_refused(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []
    plain = training._lesson

    def noted(warehouse: Warehouse, day: date, config: ModelConfig) -> Lesson:
        told.append(day)
        return plain(warehouse, day, config)

    monkeypatch.setattr(training, "_lesson", noted)
    long_ago = DAY - timedelta(days=9)
    needed = {"event_name": "e", "source_file": "f", "source_row": 1, "advertiser_id": "a"}
    row = {**needed, "signal_id": "s", "day": long_ago, "event_time": f"{long_ago} 00:00:00"}
    insert(warehouse, "signals", [row])
    with pytest.raises(InsufficientDataError, match="a model needs 50") as refused:
        train(warehouse, DAY, ModelConfig(lookback_days=LOOKBACK, training_days=2))
    assert "\n" not in str(refused.value)
    assert told == [DAY - timedelta(days=1), DAY]
