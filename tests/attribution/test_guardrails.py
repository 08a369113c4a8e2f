"""What keeps a fitted model from serving."""

import json
import math
from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss

from attribution.conversions import DAY_US, HOUR_US
from attribution.histories import Histories
from attribution.learned.guardrails import (
    Figures,
    expected_conversions,
    judge,
    read_back,
    require_conversions,
)
from attribution.paths import Floats, Paths
from warehouse.attribution_config import LearnedRules
from warehouse.errors import ConfigError, InsufficientDataError


@dataclass
class _Fixed:
    """A model that gives each touch of a channel the same share."""

    shares: dict[str, float]

    def credit(self, paths: Paths) -> Floats:
        each = np.array([self.shares[name] for name in paths.channels])
        return each[paths.touches.channel]

    def to_json(self) -> str:
        return json.dumps(self.shares)

    @classmethod
    def from_json(cls, text: str) -> "_Fixed":
        return cls(json.loads(text))


@dataclass
class _Foretelling(_Fixed):
    """One that also tells a number of conversions for each history."""

    foretold: tuple[float, ...] = ()

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        assert (start_us, end_us) == (histories.end_us - DAY_US, histories.end_us)
        return np.array(self.foretold)


class _Forgetful(_Fixed):
    """A model that is written otherwise once it was read."""

    @classmethod
    def from_json(cls, text: str) -> "_Forgetful":
        return cls({})


def two_days(*, conversions: bool = True) -> Histories:
    """Return three users, of whom the last stands for ten, over two days.

    The first saw x and converted on the first day, saw y and converted on the second, by half.
    """
    histories = pl.DataFrame(
        {
            "history": [1, 2, 3],
            "user": [1, 2, -3],
            "advertiser_id": "a",
            "segment": "quarter 1",
            "weight": [1.0, 1.0, 10.0],
        }
    )
    touches = pl.DataFrame(
        {
            "history": [1, 1, 2],
            "campaign_id": ["x", "y", "y"],
            "kind": "click",
            "time_us": [HOUR_US, 30 * HOUR_US, 30 * HOUR_US],
            "shown": True,
        }
    )
    found = pl.DataFrame(
        {
            "history": [1, 1],
            "time_us": [2 * HOUR_US, 31 * HOUR_US],
            "probability": [1.0, 0.5],
            "value": 1.0,
        }
    )
    return Histories.of(
        histories, touches, found[: 2 if conversions else 1], start_us=0, end_us=2 * DAY_US
    )


def test_what_moved_is_the_total_variation_of_credit_with_the_organic_part() -> None:
    """Of 1.5 conversions x may earn 1 and y half a one."""
    former, model = _Fixed({"x": 1.0, "y": 0.0}), _Fixed({"x": 0.4, "y": 0.8})
    figures = judge(model, two_days(), former)
    # from (1, 0, 0.5) to (0.4, 0.4, 0.7) of 1.5
    assert figures.moved == pytest.approx((0.6 + 0.4 + 0.2) / 1.5 / 2)
    assert judge(model, two_days(), model).moved == 0
    assert judge(model, two_days(), None) == Figures()


def test_log_loss_is_that_of_the_newest_day_and_counts_probable_conversions_in_part() -> None:
    foretold = (0.7, 0.1, 0.02)
    figures = judge(_Foretelling({"x": 0.5, "y": 0.5}, foretold), two_days(), None)
    chance = 1 - np.exp(-np.array(foretold))
    outcomes, rows, weights = [1, 0, 0, 0], [0, 0, 1, 2], [0.5, 0.5, 1, 10]
    assert figures.log_loss == pytest.approx(
        log_loss(outcomes, chance[rows], sample_weight=weights)
    )
    assert figures.constant_log_loss == pytest.approx(
        log_loss(outcomes, np.full(4, 0.5 / 12), sample_weight=weights)
    )
    assert figures.calibration_ratio == pytest.approx((0.7 + 0.1 + 10 * 0.02) / 0.5)


@pytest.mark.parametrize("why", ["nobody converted", "one day"])
def test_there_is_no_log_loss_where_nothing_can_be_foretold(why: str) -> None:
    histories = two_days(conversions=why == "one day")
    if why == "one day":
        histories = Histories(**{**vars(histories), "start_us": DAY_US})
    figures = judge(_Foretelling({"x": 1.0, "y": 1.0}, (1.0, 1.0, 1.0)), histories, None)
    assert figures == Figures()


@pytest.mark.parametrize(
    ("figures", "word"),
    [
        (Figures(), None),
        (Figures(moved=0.3), None),
        (Figures(moved=0.31), "most_moved is 0.3"),
        (Figures(log_loss=0.2, constant_log_loss=0.2), None),
        (Figures(log_loss=0.3, constant_log_loss=0.2), "one rate for all"),
        (Figures(log_loss=0.3, constant_log_loss=0.2, former_log_loss=0.3), "one rate for all"),
        (Figures(log_loss=0.3, constant_log_loss=0.2, former_log_loss=0.4), None),
        (Figures(log_loss=math.nan, constant_log_loss=0.2), "one rate for all"),
    ],
)
def test_figures_beyond_their_limits_are_complained_of(figures: Figures, word: str | None) -> None:
    told = figures.complaint(LearnedRules(most_moved=0.3))
    assert told is None if word is None else word in str(told)


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan, math.inf])
def test_credit_that_is_no_share_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match="between 0 and 1"):
        judge(_Fixed({"x": share, "y": 0.0}), two_days(), None)


def test_a_model_must_be_read_as_it_was_written() -> None:
    model = _Fixed({"x": 0.1})
    assert read_back(model) == (model, '{"x": 0.1}')
    with pytest.raises(ConfigError, match="otherwise"):
        read_back(_Forgetful({"x": 0.1}))
    with pytest.raises(ConfigError, match="NaN"):
        read_back(_Fixed({"x": math.nan}))


def test_too_few_conversions_are_told_with_their_number() -> None:
    histories = two_days()
    assert expected_conversions(histories) == 1.5
    require_conversions(histories, 1)
    with pytest.raises(InsufficientDataError, match=r"1\.5 conversions of known users"):
        require_conversions(histories, 2)
