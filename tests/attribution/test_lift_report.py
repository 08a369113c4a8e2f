"""The report of lifts, from counts that SQL makes."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import cli
from attribution import report
from attribution.holdouts.arms import COUNTS
from attribution.holdouts.lift_report import told_lifts, what_holdouts_lack
from attribution.report_notes import notes_on
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
        ("advertiser", "adv"), ("all", "(all)"), ("campaign", "c1"), ("segment", "quarter 1"),
        ("surface", "feed"),
    ]  # fmt: skip
    assert told.row(0)[:2] == ("all", "(all)")
    assert told.columns[6:12] == [
        "incremental", "low_90", "high_90", "shrunk", "shrunk_low", "shrunk_high"
    ]  # fmt: skip
    own = rows["campaign", "c1"]
    assert (own["treated_users"], own["control_users"]) == (900, 100)
    assert (own["treated_conversions"], own["control_conversions"]) == (90, 4)
    assert own["incremental"] == pytest.approx(90 - 9 * 4)
    assert own["lift"] == pytest.approx(90 / 36 - 1)
    assert own["low_90"] < own["incremental"] < own["high_90"]
    assert 0 < own["p_value"] < 0.1
    assert (own["reason"], own["contaminated_users"]) == ("too_few", 0)


def test_all_campaigns_together_have_the_sum_of_their_lifts(world: Path) -> None:
    with Warehouse.open(world) as warehouse:
        warehouse._connection.execute(
            "INSERT INTO touchpoints BY NAME SELECT * REPLACE (touch_id || ' c3' AS touch_id, "
            "'c3' AS campaign_id) FROM touchpoints WHERE campaign_id = 'c1'"
        )
        warehouse._connection.execute(
            "INSERT INTO holdout_conversions BY NAME SELECT * REPLACE ('c3' AS campaign_id) "
            "FROM holdout_conversions WHERE conversion_id NOT IN ('s c1 control 0') "
            "AND campaign_id = 'c1'"
        )
        told = report(warehouse, "lift")

    # users of two campaigns are in both lifts: what each caused adds up
    own, whole = told.filter(dimension="campaign"), told.filter(dimension="all")
    assert own["incremental"].to_list() == [54, 63]
    assert whole["incremental"].item() == 117
    errors = np.hypot(*(own["high_90"] - own["incremental"]))
    assert whole["high_90"].item() - 117 == pytest.approx(errors, rel=0.1)
    assert whole["shrunk"].item() == 117  # there is nothing to draw it towards


def test_without_ads_withheld_there_are_no_lifts(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        told = report(warehouse, "lift")
        notes = notes_on(warehouse, "lift", told)

    assert told.is_empty()
    assert {"dimension", "name", "incremental", "low_90", "high_90", "reason"} <= set(told.columns)
    assert notes == [
        "no ads were withheld (arm control in touchpoints) in the last 28 log days: there are no "
        "lifts, and incremental rests on the hazard alone (basis none)"
    ]


def counts_of(control_users: int, treated: int, control: int, *, users: int = 900) -> pl.DataFrame:
    """Return the counts of one campaign."""
    told = dict.fromkeys(COUNTS, 0) | {
        "treated_users": users, "control_users": control_users, "treated_conversions": treated,
        "control_conversions": control, "treated_squares": treated, "control_squares": control,
    }  # fmt: skip
    return pl.DataFrame({"campaign_id": "c1", "name": "c1", **told})


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        (counts_of(0, 90, 0), "no ads were withheld (arm control in touchpoints)"),
        (counts_of(100, 0, 40, users=0), "no campaign of the last 28 log days has both users who"),
        (
            counts_of(100, 0, 0),
            "calibrated_last_touch, which counts them, must be",
        ),
        (counts_of(100, 90, 1), "1 conversion of users whose ads were withheld, 30 are needed:"),
        (counts_of(100, 90, 29), "29 conversions of users whose ads were withheld, 30 are"),
        (counts_of(100, 90, 30), ""),
    ],
)
def test_what_holdouts_lack_is_said(counts: pl.DataFrame, says: str) -> None:
    told = what_holdouts_lack(counts)
    assert says in told
    assert bool(told) == bool(says)


def test_without_a_control_conversion_nothing_is_shrunk() -> None:
    shrunk = ("shrunk", "shrunk_low", "shrunk_high")
    none, one = (told_lifts(counts_of(100, 90, control), by="all") for control in (0, 1))
    assert none.select(shrunk).row(0) == (None, None, None)
    assert one.select(shrunk).null_count().row(0) == (0, 0, 0)
    assert none["low_90"].item() < none["incremental"].item()


def test_the_table_without_lifts_says_why_and_nothing_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path):
        pass
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(cli.app, ["report", "lift", "--db", str(path)])
    lines = shown.stdout.splitlines()
    assert lines[-2] == "no rows"
    assert lines[-1].startswith("no ads were withheld")
    assert "width" not in shown.stdout
