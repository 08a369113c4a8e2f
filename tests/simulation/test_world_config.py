"""The configuration refuses what it does not know."""

import pytest
from pydantic import ValidationError

from simulation import WorldConfig


def test_an_unknown_rate_is_refused():
    with pytest.raises(ValidationError, match="holdout_shares"):
        WorldConfig.model_validate({"holdout_shares": 0.1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"holdout_share": 1.5},
        {"activity_per_user_day": 0},
        {"household_sizes": (0.5, 0.2)},
        {"campaign_effects": (1.0,)},
        {"currencies": ("USD",)},
        {"currencies": ("USD", "USD", "EUR", "GBP", "JPY", "XTS")},
        {"targeting": {"feed": 0.1}},
    ],
)
def test_a_rate_out_of_range_or_a_table_of_another_size_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong)) + "|median_values|exchange"):
        WorldConfig(**wrong)


def test_a_configuration_cannot_change():
    with pytest.raises(ValidationError):
        WorldConfig().holdout_share = 0.2
