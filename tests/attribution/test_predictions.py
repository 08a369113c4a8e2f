"""Forecasts of conversions: judged by hand, by scikit-learn, and what is refused."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from attribution.conversions import DAY_US, HOUR_US
from attribution.histories import Histories
from attribution.learned.predictions import predictive_quality, seen_until
from attribution.paths import Floats
from tests.attribution.people import people
from warehouse.errors import ConfigError, InsufficientDataError


class Forecast:
    """Expects the same of a history whatever is asked, and keeps what was."""

    def __init__(self, expected: Floats) -> None:
        self._expected = expected
        self.span: tuple[int, int] | None = None

    def expected(self, histories: Histories, start_us: int, end_us: int) -> Floats:
        """Return what was given."""
        self.span = start_us, end_us
        return self._expected[: len(histories)]


def test_forecasts_are_judged_from_the_split_to_the_end() -> None:
    histories, chance = people(8), np.linspace(0.1, 0.8, 8)
    model = Forecast(-np.log1p(-chance))
    told = predictive_quality(model, histories, DAY_US)
    came = np.arange(8) % 2 == 0
    assert model.span == (DAY_US, 2 * DAY_US)
    assert told.log_loss == pytest.approx(sklearn.metrics.log_loss(came, chance))
    assert told.constant_log_loss == pytest.approx(np.log(2))
    assert told.gain == pytest.approx(1 - told.log_loss / np.log(2))
    assert told.calibration_ratio == pytest.approx(chance.sum() / 4)
    assert (told.histories, told.conversions) == (8, 4)


def test_an_uncertain_conversion_is_a_part_of_either_outcome() -> None:
    histories, chance = people(6, probability=0.25), np.full(6, 0.3)
    told = predictive_quality(Forecast(-np.log1p(-chance)), histories, DAY_US)
    happened = 3 * 0.25 / 6
    assert told.conversions == pytest.approx(0.75)
    assert told.log_loss == pytest.approx(-happened * np.log(0.3) - (1 - happened) * np.log(0.7))


def test_a_weight_of_two_is_as_two_histories() -> None:
    expected = np.linspace(0.1, 0.4, 10)
    plain = predictive_quality(Forecast(expected), people(10), DAY_US)
    twice = predictive_quality(Forecast(expected), people(10, weight=2.0), DAY_US)
    assert twice.log_loss == pytest.approx(plain.log_loss)
    assert twice.calibration_ratio == pytest.approx(plain.calibration_ratio)
    assert (twice.histories, twice.conversions) == (20, 10)


def test_forecasts_of_a_day_without_conversions_are_refused() -> None:
    with pytest.raises(InsufficientDataError, match="0 of 4 histories converted"):
        predictive_quality(Forecast(np.ones(4)), people(4), 2 * DAY_US - HOUR_US)


@pytest.mark.parametrize("split_us", [0, 2 * DAY_US])
def test_a_split_at_the_ends_is_refused(split_us: int) -> None:
    with pytest.raises(ConfigError, match="Give a time within it"):
        seen_until(people(4), split_us)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 2 * DAY_US - 1))
def test_nothing_after_the_split_is_left_to_fit_on(split_us: int) -> None:
    histories = people(30)
    seen = seen_until(histories, split_us)
    assert seen.end_us == split_us
    assert len(seen) == len(histories)
    assert (seen.touches.time_us < split_us).all()
    assert len(seen.touches) == int((histories.touches.time_us < split_us).sum())
    assert len(seen.conversion_us) == int((histories.conversion_us < split_us).sum())
    assert len(seen.probability) == len(seen.conversion_history) == len(seen.conversion_us)
