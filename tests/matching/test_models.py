"""A model is its folder, unchanged; which one serves a log day follows from the days before it."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import pair_model
from matching.models import ModelFacts, PairModel, training_day
from matching.pair_model import Choices, fit_trees
from warehouse.config import ModelConfig
from warehouse.errors import ConfigError

FEATURES = ("x", "y")
START = date(2026, 1, 1)
COUNTS = st.lists(st.integers(0, 130), min_size=1, max_size=30)
CONFIGS = st.builds(
    ModelConfig, enough_signals=st.integers(100, 400), training_days=st.integers(1, 10)
)


def pairs_of(seed: int) -> pl.DataFrame:
    values = np.random.default_rng(seed).normal(size=(900, 2))
    return pl.DataFrame(values, schema=FEATURES)


@pytest.fixture(scope="module")
def model() -> PairModel:
    pairs = pairs_of(1)
    choices = Choices(
        np.repeat(np.arange(300), 3), (pairs["x"] > 1).to_numpy().astype(float), np.full(900, 0.8)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pair_model._PARAMETERS, "num_threads", 1)
        trees = fit_trees(pairs, choices, features=FEATURES, directions={}, seed=1, rounds=5)
    facts = ModelFacts(
        features=FEATURES,
        start=trees.start,
        slope=1.25,
        intercept=-0.1,
        same_contact={"email": 0.83, "phone": 1 / 3},
        first_day="2026-01-01",
        last_day="2026-01-14",
        counts={"signals": 300, "pairs": 900, "named": 70},
        metrics={"average_precision": 0.1 + 0.2},
        lookback_days=30,
        candidates=40,
        seed=1,
        adscribe_version="0.1.0",
        lightgbm_version=lightgbm.__version__,
    )
    return PairModel(trees.booster, facts)


@pytest.fixture
def folder(model: PairModel, tmp_path: Path) -> Path:
    model.save(tmp_path)
    return tmp_path / model.version


def test_a_saved_model_comes_back_the_same(model: PairModel, folder: Path) -> None:
    loaded = PairModel.load(folder)
    assert loaded.version == model.version == folder.name
    assert loaded.facts == model.facts
    assert loaded.to_dict() == model.to_dict()
    pairs = pairs_of(2)
    assert np.array_equal(loaded.scores(pairs), model.scores(pairs))
    assert len(np.unique(model.scores(pairs))) > 5


def test_a_loaded_model_is_saved_as_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    PairModel.load(folder).save(tmp_path / "again")
    assert [path.name for path in (tmp_path / "again").iterdir()] == [folder.name]
    for file in folder.iterdir():
        assert (tmp_path / "again" / folder.name / file.name).read_bytes() == file.read_bytes()


def test_contributions_and_start_sum_to_the_scores(model: PairModel) -> None:
    pairs = pairs_of(3)
    told = model.contributions(pairs)
    assert told.columns == [*FEATURES, "start"]
    assert told.sum_horizontal().to_list() == pytest.approx(model.scores(pairs).tolist())


def facts_of(folder: Path) -> dict[str, object]:
    told: dict[str, object] = json.loads((folder / "model.json").read_text())
    return told


def no_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


def other_trees(folder: Path) -> None:
    text = (folder / "booster.txt").read_text()
    (folder / "booster.txt").write_text(text.replace("leaf_value=", "leaf_value=0", 1))


def no_trees(folder: Path) -> None:
    (folder / "booster.txt").write_text("no trees")


def cut_off(folder: Path) -> None:
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text[: len(text) // 2])


def other_slope(folder: Path) -> None:
    (folder / "model.json").write_text(json.dumps({**facts_of(folder), "slope": 1.5}))


def unknown_fact(folder: Path) -> None:
    (folder / "model.json").write_text(json.dumps({**facts_of(folder), "colour": "red"}))


def fact_missing(folder: Path) -> None:
    facts = facts_of(folder)
    del facts["seed"]
    (folder / "model.json").write_text(json.dumps(facts))


def no_facts(folder: Path) -> None:
    (folder / "model.json").write_text("[1, 2]")


def features_are_a_number(folder: Path) -> None:
    (folder / "model.json").write_text(json.dumps({**facts_of(folder), "features": 3}))


def not_utf8(folder: Path) -> None:
    (folder / "model.json").write_bytes(b"\xff\xfe")


@pytest.mark.parametrize(
    "damage",
    [
        no_folder, other_trees, no_trees, cut_off, other_slope, unknown_fact, fact_missing,
        no_facts, features_are_a_number, not_utf8,
    ],
)  # fmt: skip
def test_a_model_that_is_not_what_it_was_is_refused_in_one_line(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder)
    with pytest.raises(ConfigError) as refused:
        PairModel.load(folder)
    assert str(refused.value).startswith(f"{folder}: ")
    assert "adscribe train" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_model_of_another_name_is_refused(folder: Path) -> None:
    other = folder.rename(folder.with_name("pairs-of-mine"))
    with pytest.raises(ConfigError, match="its files are not those that were trained"):
        PairModel.load(other)


def test_a_model_of_other_features_is_refused(model: PairModel) -> None:
    for ask in (model.scores, model.contributions):
        with pytest.raises(ConfigError, match="trained on the feature y") as refused:
            ask(pairs_of(1).drop("y"))
        assert "\n" not in str(refused.value)


class Counted:
    """Stands for a warehouse of which only the counts of learnable signals are known."""

    def __init__(self, counts: list[int], newest: date | None = None) -> None:
        self.newest = newest
        days = [START + timedelta(days=n) for n in range(len(counts))]
        frame = pl.DataFrame(
            {"day": days, "signals": counts}, schema={"day": pl.Date, "signals": pl.Int64}
        )
        self.rows = frame.filter(pl.col("signals") > 0)  # a day without any has no row

    def query(
        self, name: str, *, day: date, first_day: date = date.min, settings: str = ""
    ) -> pl.DataFrame:
        """Return the counts up to a day, or the day of the newest model."""
        if name == "matching/newest_scheduled_day":
            return pl.DataFrame({"last_day": [self.newest]}, schema={"last_day": pl.Date})
        assert name == "matching/learnable_days"
        return self.rows.filter(pl.col("day").is_between(first_day, day))


def schedule(counts: list[int], config: ModelConfig) -> list[date | None]:
    """Return the training day that serves each day, from the words of the documentation."""
    trained: list[tuple[int, int]] = []  # (day, signals learned from)
    served: list[date | None] = []
    for today, count in enumerate(counts):
        learnable = sum(counts[max(0, today - config.training_days + 1) : today + 1])
        doubled = trained and learnable >= 2 * trained[-1][1]
        old = trained and today - trained[-1][0] >= config.training_days
        if count and learnable >= config.enough_signals and (not trained or doubled or old):
            trained.append((today, learnable))
        served.append(START + timedelta(days=trained[-1][0]) if trained else None)
    return served


@settings(max_examples=150, deadline=None)
@given(counts=COUNTS, config=CONFIGS)
def test_training_days_are_those_of_the_schedule(counts: list[int], config: ModelConfig) -> None:
    warehouse = Counted(counts)
    days = [START + timedelta(days=n) for n in range(len(counts))]
    told = [training_day(warehouse, day, config) for day in days]
    assert told == schedule(counts, config)


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, config=CONFIGS, cut=st.integers(1, 30))
def test_what_comes_later_does_not_change_the_model_of_a_day(
    counts: list[int], config: ModelConfig, cut: int
) -> None:
    day = START + timedelta(days=min(cut, len(counts)) - 1)
    known = training_day(Counted(counts[:cut]), day, config)
    assert training_day(Counted(counts), day, config) == known
    assert known is None or known <= day


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS, config=CONFIGS, cut=st.integers(1, 30))
def test_the_schedule_goes_on_from_any_of_its_models(
    counts: list[int], config: ModelConfig, cut: int
) -> None:
    served = schedule(counts, config)
    newest = served[min(cut, len(counts)) - 1]
    last = START + timedelta(days=len(counts) - 1)
    assert training_day(Counted(counts, newest), last, config) == served[-1]


def test_a_model_is_not_replaced_by_one_that_few_signals_taught() -> None:
    config = ModelConfig(enough_signals=100, training_days=2)
    assert schedule([100, 0, 0, 1], config)[-1] == START
    assert training_day(Counted([100, 0, 0, 1]), START + timedelta(days=3), config) == START


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([99], None),
        ([99, 1], 1),
        ([100], 0),
        ([100, 99], 0),
        ([100, 100], 1),
        ([100, 0, 99], 0),  # the first day has left the window
        ([100, 1, 99], 2),  # as old as the training days
    ],
)
def test_a_model_is_trained_at_enough_at_twice_as_many_and_when_it_is_old(
    counts: list[int], expected: int | None
) -> None:
    config = ModelConfig(enough_signals=100, training_days=2)
    told = training_day(Counted(counts), START + timedelta(days=len(counts) - 1), config)
    assert told == (None if expected is None else START + timedelta(days=expected))
