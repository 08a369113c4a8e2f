"""Each construction takes off what it says, and no more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration.constructions import accelerated_ends, pivotal_ends, quantiles, square_ends

DRAWN = np.random.default_rng(1).normal(1.2, 0.1, 200_000)
EVEN = np.array([-1.0, 0.0, 1.0])


def test_percentiles_are_corrected_for_bias() -> None:
    ends = accelerated_ends(DRAWN, 1.1, EVEN, -1.96)

    assert ends == pytest.approx((1.0 - 0.196, 1.0 + 0.196), abs=0.01)


def test_skewness_moves_both_ends_the_same_way() -> None:
    even = accelerated_ends(DRAWN, 1.2, EVEN, -1.96)
    skewed = accelerated_ends(DRAWN, 1.2, np.array([0.0, 0.0, 0.0, 0.0, -1.0]), -1.96)

    assert skewed[0] > even[0]
    assert skewed[1] > even[1]


def test_pivots_take_off_what_resamples_are_off() -> None:
    assert pivotal_ends(DRAWN, 1.1, -1.96, power=1) == pytest.approx(
        (1.0 - 0.196, 1.0 + 0.196), abs=0.01
    )
    assert pivotal_ends(DRAWN, 1.1, -1.96, power=2) == pytest.approx(
        ((2.42 - 1.396**2) ** 0.5, (2.42 - 1.004**2) ** 0.5), abs=0.01
    )
    assert pivotal_ends(DRAWN, 0.1, -1.96, power=2) == (0, 0)
    assert pivotal_ends(np.full(9, -1e-19), -1e-19, -1.96, power=0.5) == (0, 0)


@given(
    value=st.floats(1e-6, 1), below=st.floats(0, 1), above=st.floats(0, 3), excess=st.floats(0, 1)
)
def test_ends_of_squares_spread_as_the_root_of_what_they_are(
    value: float, below: float, above: float, excess: float
) -> None:
    ends = value * (1 - below), value * (1 + above)

    plain = square_ends(ends, value, 0.0)

    for given_end, end in zip(ends, plain, strict=True):
        assert end == pytest.approx(value + (given_end - value) * np.sqrt(end / value), rel=1e-6)
    moved = square_ends((ends[0] - excess, ends[1] - excess), value, excess)
    assert moved == pytest.approx([max(0.0, end - excess) for end in plain], abs=1e-9)


def test_doubt_of_the_excess_widens_ends_of_squares() -> None:
    plain = square_ends((0.97, 1.04), 1.0, 0.0)

    wide = square_ends((0.97, 1.04), 1.0, 0.0, 0.03)

    assert wide == pytest.approx(square_ends((1 - 0.03 * 2**0.5, 1.05), 1.0, 0.0))
    assert wide[0] < plain[0] < plain[1] < wide[1]


def test_ends_of_squares_about_nothing_stay_at_least_0() -> None:
    assert square_ends((-0.2, 0.3), 0.0, 0.1) == (0.0, 0.3)


def test_quantiles_leave_one_more_draw_outside_as_often_as_said() -> None:
    generator = np.random.default_rng(1)
    outside = [
        generator.normal() < quantiles(generator.normal(size=39), 0.025) for _ in range(20_000)
    ]

    assert np.mean(outside) == pytest.approx(0.025, abs=0.004)
