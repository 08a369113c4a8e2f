"""The report of lifts, from counts that SQL makes."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from attribution import report
from warehouse.database import Warehouse

DAY = date(2026, 3, 10)
# users, and conversions of as many of them, by campaign and arm
WORLD = {("c1", "treatment"): (900, 90), ("c1", "control"): (100, 4), ("c2", "treatment"): (400, 9)}


@pytest.fixture
def world(tmp_path: Path) -> Path:
    touches, conversions = [], []
    for (campaign, arm), (users, won) in WORLD.items():
        for number in range(users):
            user = f"{campaign} {arm} {number}"
            touches.append((f"t {user}", user, campaign, arm))
            if number < won:
                conversions.append((f"s {user}", user, arm, campaign))
    seen = pl.DataFrame(touches, ["touch_id", "user_id", "campaign_id", "arm"], orient="row")
    told = pl.DataFrame(
        conversions, ["conversion_id", "user_id", "role", "campaign_id"], orient="row"
    )
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        run = warehouse._connection
        with warehouse.frame("seen", seen), warehouse.frame("told", told):
            run.execute(
                "INSERT INTO touchpoints BY NAME SELECT *, $day AS day, $day AS event_time, "
                "'impression' AS kind, 'adv' AS advertiser_id, 'feed' AS surface, "
                "'-' AS source_file, 1 AS source_row FROM seen",
                {"day": DAY},
            )
            run.execute(
                "INSERT INTO holdout_conversions BY NAME "
                "SELECT *, $day AS day, $day AS touch_day, 1 AS recency FROM told",
                {"day": DAY},
            )
    return path


def test_a_lift_is_told_of_each_campaign_advertiser_surface_and_segment(world: Path) -> None:
    with Warehouse.open(world, read_only=True) as warehouse:
        told = report(warehouse, "lift")

    rows = {(row["dimension"], row["name"]): row for row in told.iter_rows(named=True)}
    # c2 withholds nothing, and tells nothing
    assert sorted(rows) == [
        ("advertiser", "adv"), ("campaign", "c1"), ("segment", "quarter 1"), ("surface", "feed"),
    ]  # fmt: skip
    own = rows["campaign", "c1"]
    assert (own["treated_users"], own["control_users"]) == (900, 100)
    assert (own["treated_conversions"], own["control_conversions"]) == (90, 4)
    assert own["incremental"] == pytest.approx(90 - 9 * 4)
    assert own["lift"] == pytest.approx(90 / 36 - 1)
    assert own["low_90"] < own["incremental"] < own["high_90"]
    assert 0 < own["p_value"] < 0.1
    assert "too few conversions" in own["reason"]


def test_without_ads_withheld_there_are_no_lifts(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        told = report(warehouse, "lift")

    assert told.is_empty()
    assert {"dimension", "name", "incremental", "low_90", "high_90", "reason"} <= set(told.columns)
