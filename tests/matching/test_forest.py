"""A forest's scores are LightGBM's, to the last bit."""

import lightgbm
import numpy as np
import pytest

from matching import forest
from matching.forest import Forest


def rows(seed: int, count: int) -> np.ndarray:
    """Return features of several kinds: even numbers, many and few values, some missing."""
    rng = np.random.default_rng(seed)
    table = np.column_stack(
        [
            rng.normal(size=count),
            rng.integers(0, 5, count),
            rng.exponential(size=count) * 1e6,
            rng.normal(size=count).round(1),
            rng.integers(0, 2, count),
            rng.normal(size=count) * 1e-38,
        ]
    ).astype(np.float32)
    table[rng.random(count) < 0.3, 0] = np.nan
    table[rng.random(count) < 0.1, 3] = np.nan
    return table


def trained(*, leaves: int = 15, categories: list[int] | None = None) -> lightgbm.Booster:
    table = rows(1, 4_000)
    filled = np.nan_to_num(table, nan=0.7)
    target = filled[:, 0] * filled[:, 1] + np.log1p(filled[:, 2]) - filled[:, 3] ** 2
    settings = {"num_leaves": leaves, "verbosity": -1, "seed": 1, "num_threads": 1}
    quiet = {"verbosity": -1}
    data = lightgbm.Dataset(table, target, categorical_feature=categories or [], params=quiet)
    return lightgbm.train(settings, data, 40)


@pytest.mark.parametrize("leaves", [2, 8, 9, 15, 16])
def test_scores_are_those_of_lightgbm(leaves: int) -> None:
    booster, table = trained(leaves=leaves), rows(2, 3_000)
    expected = booster.predict(table, raw_score=True)
    assert np.array_equal(Forest.of(booster).scores(list(table.T)), expected)
    assert len(np.unique(expected)) > leaves


def test_a_value_missing_only_later_counts_as_lightgbm_counts_it() -> None:
    booster, table = trained(), rows(3, 3_000)
    table[::3] = np.nan  # also of features that had no missing value in training
    table[1::7] = np.float32(0.0)
    table[2::7] = -np.float32(0.0)
    expected = booster.predict(table, raw_score=True)
    assert np.array_equal(Forest.of(booster).scores(list(table.T)), expected)


def test_rows_on_a_threshold_go_left() -> None:
    booster = trained()
    thresholds = booster.trees_to_dataframe().dropna(subset=["threshold"])
    table = rows(4, len(thresholds))
    places = thresholds["split_feature"].str.removeprefix("Column_").astype(int)
    on = thresholds["threshold"].to_numpy().astype(np.float32)
    table[np.arange(len(table)), places] = on
    near = np.concatenate(
        [table, np.nextafter(table, np.float32(9)), np.nextafter(table, -np.float32(9))]
    )
    expected = booster.predict(near, raw_score=True)
    assert np.array_equal(Forest.of(booster).scores(list(near.T)), expected)


def test_blocks_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    booster, table = trained(), rows(5, 1_000)
    whole = Forest.of(booster).scores(list(table.T))
    monkeypatch.setattr(forest, "_ROWS_AT_ONCE", 7)
    assert np.array_equal(Forest.of(booster).scores(list(table.T)), whole)
    assert Forest.of(booster).scores(list(table[:0].T)).shape == (0,)


def test_trees_that_it_cannot_evaluate_are_refused() -> None:
    with pytest.raises(ValueError, match="31 leaves, more than 16"):
        Forest.of(trained(leaves=31))
    with pytest.raises(ValueError, match="by category"):
        Forest.of(trained(categories=[1]))
