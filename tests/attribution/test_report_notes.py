"""What is noted below a report: days without credit, and models that know other days."""

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

import cli
from attribution.report_notes import days_of_models, notes_on, unattributed_days
from attribution.reports import report, report_names
from tests.attribution.made_up import BY_MODEL, MODELS, START, made_up, store
from warehouse.database import Warehouse


def test_models_that_credited_other_days_are_told_apart(world: Warehouse) -> None:
    assert not days_of_models(world, ["last_touch", "linear"])
    world._connection.execute("BEGIN TRANSACTION")
    first, last, whole = world._connection.sql(
        "SELECT min(credits.day), max(credits.day), count(DISTINCT conversion_id) FROM credits "
        "JOIN conversions USING (conversion_id) WHERE status <> 'retracted'"
    ).fetchall()[0]
    world._connection.execute("DELETE FROM credits WHERE model = 'linear' AND day < '2026-03-15'")
    told = days_of_models(world, ["all"])
    alone = days_of_models(world, ["linear"])
    days = report(world, "model_days")
    campaigns, paths = report(world, "credit_by_campaign"), report(world, "path_length")
    unasked = notes_on(world, "credit_by_campaign", campaigns)
    one = campaigns.filter(pl.col("model") == "linear")
    none = [
        *notes_on(world, "credit_by_campaign", one),
        *notes_on(world, "path_length", paths),
    ]
    world._connection.execute("ROLLBACK")

    assert unasked == [told]
    assert not none
    assert days["conversions"][0] == whole > days["conversions"][1]
    assert (days["conversions"] + days["not_credited"]).to_list() == [whole] * len(MODELS)
    assert f"last_touch {whole} conversions of {first} to {last} (" in told
    assert f"linear {days['conversions'][1]} conversions of {days['first_day'][1]} to" in told
    assert not alone


def _stage(stage: str, day: int, hour: int) -> dict[str, object]:
    at = START + timedelta(days=day, hours=hour)
    return {"run_id": "r", "command": "run", "stage": stage, "status": "done", "started_at": at,
            "finished_at": at, "day": (START + timedelta(days=day)).date(), "adscribe_version": "1",
            "config_json": "{}"}  # fmt: skip


@pytest.mark.parametrize(
    ("days", "says", "mend"),
    [
        ([0], "log day 2026-03-01 is stored", "--day 2026-03-01"),
        ([0, 2], "log days 2026-03-01, 2026-03-03 are stored", "--from 2026-03-01 --to 2026-03-03"),
        (
            [0, 1, 2, 3, 4],
            "log days 2026-03-01, 2026-03-02 and 3 more up to 2026-03-05 are",
            "--to",
        ),
    ],
)
def test_days_that_were_read_and_not_attributed_are_noted_where_it_matters(
    world: Warehouse, days: list[int], says: str, mend: str
) -> None:
    before = unattributed_days(world)
    world._connection.execute("BEGIN TRANSACTION")
    stages = ("ingest", "match", "attribute")
    done = [_stage(stage, 9, hour) for hour, stage in enumerate(stages)]
    read = [_stage(stage, day, hour) for day in days for hour, stage in enumerate(stages[:2])]
    store(world, {"runs": [*done, *read]})
    told = unattributed_days(world)
    empty = pl.DataFrame()
    noted = {name for name in report_names() if told in notes_on(world, name, empty)}
    store(world, {"runs": [_stage("ingest", days[0], 20)]})
    again = unattributed_days(world)
    world._connection.execute("ROLLBACK")

    assert before == ""
    assert told.startswith(says)
    assert f"Run adscribe attribute --db {world.path}" in told
    assert mend in told
    assert f"Run adscribe match --db {world.path}" in again
    assert noted >= {*BY_MODEL, "campaign_credit", "campaign_totals", "return_on_ad_spend", "lift"}
    assert noted.isdisjoint({"match_rate", "blocking", "rejected_rows", "run_history", "models"})


def test_the_command_notes_days_without_credit_beside_every_format(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        store(warehouse, {**made_up(seed=2), "runs": [_stage("ingest", 3, 1)]})
    words = ["report", "credit_by_surface", "--db", str(path), "--only", "model=linear"]
    table = CliRunner().invoke(cli.app, words)
    plain = CliRunner().invoke(cli.app, [*words, "--format", "json"])

    assert "is stored but not attributed" in table.stdout.splitlines()[-1]
    assert {row["model"] for row in json.loads(plain.stdout)} == {"linear"}
    assert "note: log day 2026-03-04 is stored but not attributed" in plain.stderr


def test_limits_that_leave_out_the_doubt_of_causes_say_so(world: Warehouse) -> None:
    intervals = report(world, "credit_intervals")
    fitted = intervals.with_columns(model=pl.lit("incremental"))

    assert not notes_on(world, "credit_intervals", intervals)
    (noted,) = notes_on(world, "credit_intervals", fitted)
    assert "limits under incremental leave out" in noted
    beside = fitted.drop("model")
    assert notes_on(world, "credit_intervals", beside, models=["incremental"])[0] == noted
    assert not notes_on(world, "campaign_totals", report(world, "campaign_totals"))


@pytest.mark.parametrize(("basis", "noted"), [("holdout", False), ("none", True)])
def test_limits_without_holdouts_say_what_they_leave_out(
    world: Warehouse, basis: str, noted: bool
) -> None:
    told = report(world, "incremental")
    row = pl.DataFrame({"campaign_id": "c1", "basis": basis}, schema_overrides=told.schema)

    notes = notes_on(world, "incremental", row)

    assert any("basis none" in line for line in notes) is noted
