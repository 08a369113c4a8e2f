"""Patterns lose what chance explains, and keep the rest; ends are where the error is extreme."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibration.binned_errors import expected_calibration_error
from calibration.error_worlds import Gaps, gaps_of
from calibration.resampled_errors import binned_worlds
from calibration.samples import Sample
from calibration.units import Rows, Units


def units_of(seed: int, size: int, gap: np.ndarray) -> Units:
    generator = np.random.default_rng(seed)
    cell = np.arange(size) % len(gap)
    probability = (cell + 0.5) / len(gap)
    happened = generator.random(size) < probability - gap[cell]
    return Units.of(Sample.of(happened, probability), None)


def gaps_in(units: Units, cells: int, degree: int) -> Gaps:
    return gaps_of(units, partial(cell_of, cells), cells, degree=degree)


def cell_of(cells: int, rows: Rows) -> np.ndarray:
    return (rows.probability * cells).astype(np.int64)


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 10_000), degree=st.integers(0, 2))
def test_patterns_are_nearer_to_the_truth_than_gaps_of_calibrated_cells(
    seed: int, degree: int
) -> None:
    units = units_of(seed, 2_000, np.zeros(20))

    gaps = gaps_in(units, 20, degree)

    assert np.sum(gaps.pattern**2) < np.sum(gaps.gap**2)
    (rows,) = units.parts()
    cell = cell_of(20, rows)
    assert np.bincount(cell, gaps.noise(rows, cell)) == pytest.approx(0, abs=1e-9)


def test_large_gaps_stay_as_they_are() -> None:
    truth = np.array([0.05, -0.1, 0.2, -0.2, 0.1, -0.05])
    units = units_of(1, 60_000, truth)

    gaps = gaps_in(units, 6, 1)

    np.testing.assert_allclose(gaps.pattern, gaps.gap, atol=2e-3)
    np.testing.assert_allclose(gaps.pattern, truth, atol=0.02)


def test_patterns_are_drawn_about_the_pattern_by_what_is_not_known() -> None:
    truth = np.array([0.05, -0.1, 0.2, -0.2, 0.1, -0.05])
    units = units_of(1, 6_000, truth)
    gaps = gaps_in(units, 6, 0)

    drawn = gaps.draw(20_000, np.random.default_rng(1))

    probability = (np.arange(6) + 0.5) / 6
    error = np.sqrt((probability - truth) * (1 - probability + truth) / 1_000)
    np.testing.assert_allclose(drawn.mean(axis=0), gaps.pattern, atol=1e-3)
    np.testing.assert_allclose(drawn.std(axis=0), error, rtol=0.2)


def test_cells_too_few_for_a_trend_keep_their_gaps() -> None:
    units = units_of(1, 200, np.array([0.1, -0.1]))

    gaps = gaps_in(units, 2, 2)

    np.testing.assert_array_equal(gaps.pattern, gaps.gap)
    assert not gaps.own.any()
    assert not gaps.shared.any()


def test_ends_are_where_the_observed_error_is_extreme() -> None:
    generator = np.random.default_rng(1)
    units = units_of(1, 40_000, np.full(4, 0.1))
    worlds = binned_worlds(expected_calibration_error, None, units, {"bins": 4})
    assert worlds is not None
    whole = units.collect(worlds.terms, generator).toarray().sum(axis=1)
    # resamples of which half show the error 0.02 lower and half 0.02 higher than their world
    moved = np.zeros_like(whole)
    moved[:4] = 0.02 * whole[4:8]
    drawn = np.concatenate([np.tile(whole - moved, (50, 1)), np.tile(whole + moved, (50, 1))])

    low, high = worlds.ends(whole, drawn, (0.025, 0.975), generator)

    assert (low, high) == pytest.approx((worlds.observed - 0.02, worlds.observed + 0.02), rel=1e-2)
