"""Whether lifts tell models apart, against figures worked out by hand and drawn lifts."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from attribution.lift_agreement import agreement, clearly_behind


def lifts_of(incremental: list[float], error: list[float]) -> pl.DataFrame:
    names = [f"c{number}" for number in range(len(incremental))]
    told = pl.DataFrame({"campaign_id": names, "incremental": incremental, "error": error})
    limits = pl.col("error") * 1.645
    return told.with_columns(
        low_90=pl.col("incremental") - limits, high_90=pl.col("incremental") + limits
    )


def credit_of(credit: list[float]) -> pl.DataFrame:
    names = [f"c{number}" for number in range(len(credit))]
    return pl.DataFrame({"campaign_id": names, "credit": credit})


def test_a_model_lies_behind_by_the_difference_of_squares_over_its_error() -> None:
    lifts = lifts_of([10.0, 20.0, 30.0], [1.0, 2.0, 3.0])
    told = agreement(
        {"right": credit_of([10.0, 20.0, 30.0]), "even": credit_of([20.0, 20.0, 20.0])}, lifts
    )
    # even credit is brought to the mean lift under weights of 1, 1/4 and 1/9
    mean = (10 + 5 + 30 / 9) / (1 + 1 / 4 + 1 / 9)
    squares = (mean - 10) ** 2 + ((mean - 20) / 2) ** 2 + ((mean - 30) / 3) ** 2
    assert told["behind"].to_list() == [None, pytest.approx(squares / (2 * np.sqrt(squares)))]


def test_models_that_agree_alike_are_told_apart_as_seldom_as_promised() -> None:
    random, behind = np.random.default_rng(1), []
    error = np.full(24, 2.0)
    near, far = np.full(24, 10.0) + 1.5 * random.normal(size=(2, 24))
    middle = (near + far) / 2  # what was caused lies as far from the one as from the other
    for _ in range(400):
        lifts = lifts_of((middle + error * random.normal(size=24)).tolist(), error.tolist())
        given = {"near": credit_of(near.tolist()), "far": credit_of(far.tolist())}
        behind.append(float(agreement(given, lifts)["behind"].sum()))
    share = np.mean(np.array(behind) > clearly_behind(2))
    assert 0.04 < share < 0.17  # a tenth: either may be ahead


def test_of_more_models_one_must_lie_further_behind_to_be_told_apart() -> None:
    assert clearly_behind(2) == pytest.approx(1.6449, abs=1e-4)
    assert clearly_behind(7) == pytest.approx(stats.norm.isf(0.05 / 21))
