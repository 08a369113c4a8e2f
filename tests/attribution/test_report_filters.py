"""Rows of a report picked by what stands in its columns."""

import polars as pl
import pytest

from attribution.report_filters import read_filters
from attribution.reports import report
from warehouse.database import Warehouse
from warehouse.errors import ConfigError, UnknownNameError


def test_only_rows_with_the_values_asked_for_stay(world: Warehouse) -> None:
    whole = report(world, "credit_by_campaign")
    only = read_filters(["campaign_id=c1", "campaign_id=c2", "model=linear", "currency="])
    picked = report(world, "credit_by_campaign", only=only)
    expected = whole.filter(
        pl.col("campaign_id").is_in(["c1", "c2"]), pl.col("currency").is_null(), model="linear"
    )
    assert 0 < len(picked) < len(whole)
    assert picked.equals(expected)


def test_rows_are_picked_before_models_stand_side_by_side_and_after(world: Warehouse) -> None:
    models = ["linear", "last_touch"]
    beside = report(world, "credit_by_campaign", models=models)
    credit = beside["credit_linear"].drop_nulls()[0]
    by_key = report(world, "credit_by_campaign", models=models, only={"campaign_id": ["c1"]})
    only = {"credit_linear": [str(credit)]}
    by_figure = report(world, "credit_by_campaign", models=models, only=only)
    assert by_key.equals(beside.filter(campaign_id="c1"))
    assert by_figure.equals(beside.filter(credit_linear=credit))


def test_a_date_is_picked_by_its_text(world: Warehouse) -> None:
    days = report(world, "provisional_days")
    date = days["day"][3]
    picked = report(world, "provisional_days", only={"day": [date.isoformat()]})
    assert picked.equals(days.filter(pl.col("day") == date))


def test_a_column_that_is_not_there_is_a_clear_error(world: Warehouse) -> None:
    with pytest.raises(UnknownNameError, match='no column "kampaign_id": did you mean "campaign_'):
        report(world, "credit_by_campaign", only={"kampaign_id": ["c1"]})
    with pytest.raises(ConfigError, match="not COLUMN=VALUE"):
        read_filters(["model"])
