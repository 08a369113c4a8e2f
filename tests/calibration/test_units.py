"""Units are ordered by what they are, and drawn as often as Poisson variables say."""

import numpy as np
import polars as pl
import pytest

from calibration.resamples import Resamples, draws
from calibration.samples import Sample
from calibration.units import MOST_UNITS, Rows, Terms, Units


def test_draws_are_poisson_of_mean_1() -> None:
    blocks = list(draws(1_000, 600, np.random.default_rng(1)))

    drawn = np.concatenate([block.ravel() for block in blocks])
    assert sum(block.shape[1] for block in blocks) == 600
    assert drawn.mean() == pytest.approx(1, abs=0.01)
    assert drawn.var() == pytest.approx(1, abs=0.02)
    assert np.mean(drawn == 0) == pytest.approx(np.exp(-1), abs=0.005)


def test_rows_of_one_cluster_stand_together_and_none_weighs_nothing() -> None:
    sample = Sample.of([1, 0, 1, 0, 1], [0.5, 0.4, 0.3, 0.2, 0.1], [1, 2, 0, 1, 1])

    units = Units.of(sample, pl.Series(["b", "a", "a", "b", "a"]))

    assert units.sample.probability.tolist() == [0.1, 0.4, 0.2, 0.5]
    assert units.unit is not None
    assert units.unit.tolist() == [0, 0, 1, 1]
    assert len(units) == 2
    assert units.sample.weight is not None
    assert units.sample.weight.tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clusters", [None, "few", "many"])
@pytest.mark.parametrize("size", [50, 3 * MOST_UNITS])
def test_terms_are_collected_whole(size: int, clusters: str | None, weighted: bool) -> None:
    generator = np.random.default_rng(1)
    weight = generator.exponential(size=size) if weighted else None
    sample = Sample.of(generator.random(size) < 0.5, generator.random(size), weight)
    belongs = {None: None, "few": np.arange(size) % 7, "many": np.arange(size).astype(str)}
    units = Units.of(sample, belongs[clusters])
    terms = Terms.dense(2, lambda rows: (rows.probability, rows.happened * 1.0))

    table = units.collect(terms, generator)

    assert table.shape == (2, 7 if clusters == "few" else min(size, MOST_UNITS))
    mass = np.ones(size) if weight is None else weight / weight.mean()
    told = [mass @ sample.probability, mass @ sample.happened]
    np.testing.assert_allclose(np.asarray(table.sum(axis=1)), told)


@pytest.mark.parametrize("clusters", [False, True])
def test_tables_are_the_same_in_whatever_parts_they_are_made(
    clusters: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(1)
    sample = Sample.of(generator.random(900) < 0.5, generator.random(900))
    belongs = generator.integers(0, 60, 900) if clusters else None
    shift = np.arange(2)

    def terms(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        place = (rows.probability * 30).astype(np.int64)
        return place[:, None] + shift, np.column_stack((rows.probability, rows.happened))

    def table() -> np.ndarray:
        units = Units.of(sample, belongs)
        return units.collect(Terms(31, terms), np.random.default_rng(2)).toarray()

    whole = table()
    monkeypatch.setattr("calibration.rows._ROWS_AT_ONCE", 70)
    monkeypatch.setattr("calibration.units._SUMS_AT_ONCE", 1_000)
    monkeypatch.setattr("calibration.units._ROWS_AT_ONCE", 130)

    np.testing.assert_array_equal(table(), whole)


def test_groups_do_not_depend_on_the_parts_they_are_drawn_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def table() -> np.ndarray:
        sample = Sample.of(np.arange(2 * MOST_UNITS) % 2, np.arange(2 * MOST_UNITS) / 1e6)
        terms = Terms.dense(1, lambda rows: (rows.probability,))
        return Units.of(sample, None).collect(terms, np.random.default_rng(2)).toarray()

    whole = table()
    monkeypatch.setattr("calibration.units._ROWS_AT_ONCE", 777)

    np.testing.assert_array_equal(table(), whole)


def test_sums_of_resamples_are_those_of_rows_drawn_so_often() -> None:
    generator = np.random.default_rng(1)
    sample = Sample.of(generator.random(80) < 0.5, generator.random(80))
    units = Units.of(sample, np.arange(80) % 9)
    terms = Terms.dense(2, lambda rows: (rows.probability, rows.happened * 1.0))

    resamples = Resamples.of(terms, units, 150, seed=3)

    assert units.unit is not None
    (weights,) = draws(9, 150, np.random.default_rng(3))
    rows = np.column_stack((units.sample.probability, units.sample.happened))
    np.testing.assert_allclose(resamples.drawn, weights[units.unit].T @ rows)
    np.testing.assert_allclose(resamples.whole, rows.sum(axis=0))
    assert resamples.units == 9
