"""Units are ordered by what they are, and drawn as often as Poisson variables say."""

import numpy as np
import polars as pl
import pytest
from scipy import sparse

from calibration.samples import Sample
from calibration.units import MOST_UNITS, Units, draws


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

    assert units.order.tolist() == [4, 1, 3, 0]
    assert units.unit.tolist() == [0, 0, 1, 1]
    assert len(units) == 2
    assert units.sample.weight is not None
    assert units.sample.weight.tolist() == [1, 2, 1, 1]


@pytest.mark.parametrize("size", [50, 3 * MOST_UNITS])
def test_terms_are_collected_whole(size: int) -> None:
    generator = np.random.default_rng(1)
    sample = Sample.of(generator.random(size) < 0.5, generator.random(size))
    values = generator.random((size, 2))

    table = Units.of(sample, None).collect(sparse.csr_array(values), generator)

    assert table.shape == (2, min(size, MOST_UNITS))
    np.testing.assert_allclose(np.asarray(table.sum(axis=1)), values.sum(axis=0))
