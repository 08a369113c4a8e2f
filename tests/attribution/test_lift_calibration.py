"""Laws of calibrating credit to lifts."""

from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.holdouts.lift_calibration import calibrate
from warehouse.errors import ConfigError

NAMES = ["a", "b", "c", "d"]
CREDIT = pl.DataFrame({"campaign_id": NAMES, "credit": [100.0, 200.0, 300.0, 400.0]})


def _lifts(values: list[float], error: float, names: list[str] = NAMES) -> pl.DataFrame:
    frame = pl.DataFrame({"campaign_id": names[: len(values)], "incremental": values})
    return frame.with_columns(standard_error=pl.lit(error))


def test_a_precise_lift_is_followed() -> None:
    lifts = [50.0, 60.0, 330.0, 10.0]

    found = calibrate(CREDIT, _lifts(lifts, 1e-6))

    np.testing.assert_allclose(found["calibrated"], lifts, rtol=1e-6)
    np.testing.assert_allclose(found["standard_error"], 0, atol=1e-4)
    assert found["basis"].unique().to_list() == ["holdout"]


def test_lifts_that_say_nothing_of_campaigns_scale_all_by_one_factor() -> None:
    # noise in proportion to the square root of credit: the best factor is the ratio of the sums
    lifts = _lifts([90.0, 80.0, 210.0, 120.0], 1.0).with_columns(
        standard_error=1e6 * CREDIT["credit"].sqrt()
    )

    found = calibrate(CREDIT, lifts)

    np.testing.assert_allclose(found["factor"], 500 / 1000, rtol=1e-3)
    assert found["calibrated"].sum() == pytest.approx(500, rel=1e-3)


def test_a_total_that_is_known_well_is_kept() -> None:
    rng = np.random.default_rng(1)
    credit = pl.DataFrame({"campaign_id": [f"c{n:03}" for n in range(200)], "credit": 100.0})
    true = 60 + 10 * rng.standard_normal(200)
    values = (true + 30 * rng.standard_normal(200)).tolist()

    found = calibrate(credit, _lifts(values, 30.0, credit["campaign_id"].to_list()))

    assert found["calibrated"].sum() == pytest.approx(sum(values), rel=0.002)
    plain = np.abs(np.array(values) - true).mean()
    assert np.abs(found["calibrated"].to_numpy() - true).mean() < plain / 2


def test_without_lifts_credit_stays_what_it_is() -> None:
    credit = CREDIT.with_columns(variance=pl.lit(25.0))

    found = calibrate(credit, _lifts([], 1.0).cast({"campaign_id": pl.String}))

    assert found["calibrated"].to_list() == CREDIT["credit"].to_list()
    assert found["factor"].to_list() == [1.0] * 4
    assert found["standard_error"].to_list() == [5.0] * 4
    assert found["basis"].unique().to_list() == ["none"]


def test_a_campaign_without_a_holdout_has_the_factor_of_its_likes() -> None:
    names = [f"c{number}" for number in range(9)]
    credit = pl.DataFrame({"campaign_id": names, "credit": [100.0] * 9})
    lifts = _lifts([100.0, 102.0, 98.0, 101.0, 40.0, 42.0, 38.0], 3.0, names)
    surface = ["feed"] * 4 + ["search"] * 3 + ["feed", "search"]
    likeness = pl.DataFrame({"campaign_id": names, "surface": surface})

    found = calibrate(credit, lifts, likeness)

    feed, search = found["calibrated"][7], found["calibrated"][8]
    assert found["basis"].to_list()[7:] == ["likeness", "likeness"]
    assert feed == pytest.approx(100, abs=12)
    assert search == pytest.approx(40, abs=12)
    assert found["standard_error"][7] > 2 * found["standard_error"][0]


def test_unsure_credit_makes_what_is_known_by_likeness_less_sure() -> None:
    lifts = _lifts([50.0, 100.0, 150.0], 1.0)

    sure, unsure = (
        calibrate(CREDIT.with_columns(variance=pl.Series([0.0, 0.0, 0.0, variance])), lifts)
        for variance in (0.0, 1600.0)
    )

    more = unsure["standard_error"] ** 2 - sure["standard_error"] ** 2
    assert more[3] == pytest.approx((0.5 * 40) ** 2, rel=1e-3)
    np.testing.assert_allclose(more[:3], 0, atol=1e-6)


def test_pooled_errors_go_before_plain_ones() -> None:
    lifts = _lifts([50.0, 60.0, 330.0, 10.0], 1e9)

    found = calibrate(CREDIT, lifts.with_columns(pooled_error=pl.lit(1e-6)))

    np.testing.assert_allclose(found["calibrated"], lifts["incremental"], rtol=1e-6)


def test_credit_of_nothing_stays_nothing_and_is_not_below_it() -> None:
    credit = pl.DataFrame({"campaign_id": NAMES, "credit": [0.0, 200.0, 300.0, 400.0]})

    found = calibrate(credit, _lifts([50.0, -60.0, 330.0, 10.0], 1e-6))

    assert found["calibrated"][0] == 0
    assert found["basis"][0] == "none"
    assert found["calibrated"][1] == 0
    assert (found["low"] >= 0).all()


@settings(max_examples=20, deadline=None)
@given(
    credit=st.lists(st.floats(1, 1000), min_size=3, max_size=6),
    error=st.floats(1, 300),
    scale=st.floats(0.2, 50),
    random=st.randoms(use_true_random=False),
)
def test_a_models_own_scale_and_the_order_of_rows_do_not_matter(
    credit: list[float], error: float, scale: float, random: Random
) -> None:
    names = [f"c{number}" for number in range(len(credit))]
    lifts = _lifts([0.6 * one + 10 for one in credit[:-1]], error, names)
    frame = pl.DataFrame({"campaign_id": names, "credit": credit})
    order = list(range(len(names)))
    random.shuffle(order)

    plain = calibrate(frame, lifts)
    other = calibrate(frame.with_columns(pl.col("credit") * scale)[order], lifts.reverse())

    np.testing.assert_allclose(other["calibrated"], plain["calibrated"], rtol=1e-6)
    np.testing.assert_allclose(other["standard_error"], plain["standard_error"], rtol=1e-6)


def test_what_cannot_be_used_is_said() -> None:
    lifts = _lifts([50.0], 1.0)

    with pytest.raises(ConfigError, match="a appears more than once"):
        calibrate(pl.concat([CREDIT, CREDIT]), lifts)
    with pytest.raises(ConfigError, match="a appears more than once"):
        calibrate(CREDIT, pl.concat([lifts, lifts]))
    with pytest.raises(ConfigError, match="negative"):
        calibrate(CREDIT.with_columns(-pl.col("credit")), lifts)
    with pytest.raises(ConfigError, match="level"):
        calibrate(CREDIT, lifts, level=0)
