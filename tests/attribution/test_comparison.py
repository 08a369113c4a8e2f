"""Comparing models: figures against hand-solved worlds, and what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from typer.testing import CliRunner

import cli
from attribution.comparison import Comparison, compare
from attribution.credit_errors import rank_correlation, share_error, total_error, weighted_error
from attribution.learned.hazard import AdditiveHazard
from attribution.learned.predictions import foretold
from attribution.learned.serving import version_of
from attribution.reports import report
from tests.attribution.people import people
from warehouse.database import Warehouse
from warehouse.errors import (
    AdscribeError,
    InputFileError,
    InsufficientDataError,
    UnknownNameError,
)

SEEN, NEWEST = date(2026, 3, 9), date(2026, 3, 10)
HELD = {"c1": (400, 100, 80, 10), "c2": (400, 100, 40, 8)}  # users and conversions of both arms
CREDIT = {
    "calibrated_last_touch": {"c1": 40, "c2": 8, "c3": 2},
    "last_touch": {"c1": 50, "c2": 30, "c3": 20},
}
CONVERTED = sum(treated + control for _, _, treated, control in HELD.values())
few_examples = settings(deadline=None, max_examples=40)
amounts = st.lists(st.floats(0.01, 1e6), min_size=2, max_size=12)


def store(warehouse: Warehouse, table: str, rows: list[dict[str, object]]) -> None:
    with warehouse.frame("given", pl.DataFrame(rows, infer_schema_length=None)):
        warehouse._connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM given")  # noqa: S608


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour)  # noqa: DTZ001 -- stored times are UTC


def fill(warehouse: Warehouse) -> None:
    """Store a world whose lifts are 80 - 4 * 10 = 40 for c1 and 40 - 4 * 8 = 8 for c2."""
    touches, found, known = [], [], []
    for campaign, (treated, control, won, lost) in HELD.items():
        for number in range(treated + control):
            arm = "treatment" if number < treated else "control"
            user, conversion = f"{campaign}-{number}", f"s-{campaign}-{number}"
            touches.append(
                {"day": SEEN, "touch_id": user, "event_time": at(SEEN, 12), "user_id": user,
                 "kind": "impression", "advertiser_id": "a1", "campaign_id": campaign, "arm": arm,
                 "surface": "feed", "source_file": "f", "source_row": number}
            )  # fmt: skip
            if number < won or treated <= number < treated + lost:
                common = {"conversion_id": conversion, "day": NEWEST, "user_id": user}
                found.append({**common, "role": arm, "campaign_id": campaign, "touch_day": SEEN})
                known.append(
                    {**common, "signal_id": conversion, "method": "email",
                     "user_micros": 1_000_000, "best": True}
                )  # fmt: skip
    touches.append({**touches[0], "touch_id": "last", "day": NEWEST, "event_time": at(NEWEST, 12),
                    "campaign_id": "c3", "arm": "treatment"})  # fmt: skip
    store(warehouse, "touchpoints", touches)
    store(warehouse, "holdout_conversions", found)
    store(warehouse, "conversion_users", known)
    store_conversions(warehouse, [str(one["conversion_id"]) for one in known])
    store_emails(warehouse, known)
    store(warehouse, "credits", [
        credit
        for model, parts in CREDIT.items()
        for credit in [
            *(earned(model, campaign, amount) for campaign, amount in parts.items()),
            {**earned(model, None, 38), "outcome": "organic"},
            {**earned(model, "c1", 7), "conversion_id": "retracted"},
        ]
    ])  # fmt: skip
    body = AdditiveHazard.fit(people(40)).to_json()
    store(warehouse, "credit_models", [
        {"model": "hazard", "model_version": version_of("hazard", body), "first_day": SEEN,
         "last_day": SEEN,
         "settings": "", "status": "accepted", "histories": 9, "conversions": 9.0, "run_id": "r",
         "adscribe_version": "1", "body": body}
    ])  # fmt: skip


def store_conversions(warehouse: Warehouse, names: list[str], currency: str = "EUR") -> None:
    """Store conversions, one that all credit stands with and one retracted."""
    common = {
        "day": NEWEST, "advertiser_id": "a1", "event_name": "purchase", "value": 2.0,
        "event_time": at(NEWEST, 13), "currency": currency, "status": "active",
    }  # fmt: skip
    rows = [{**common, "conversion_id": name} for name in (*names, "all")]
    gone = {**common, "conversion_id": "retracted", "value": 0.0, "status": "retracted"}
    store(warehouse, "conversions", [*rows, gone])


def store_emails(warehouse: Warehouse, known: list[dict[str, object]]) -> None:
    """Let an e-mail address name the user of each conversion."""
    rows = pl.DataFrame(known).with_row_index("number").select(
        "day", "signal_id", "conversion_id", "user_id", kind=pl.lit("email"), role=pl.lit("first"),
        digest=pl.lit("00000000-0000-0000-0000-") + pl.col("number").cast(pl.String).str.zfill(12),
        advertiser_id=pl.lit("a1"), event_name=pl.lit("purchase"), source=pl.lit("activity"),
        scope=pl.lit(""), first_day=pl.lit(SEEN), last_day=pl.lit(SEEN), observations=1,
    )  # fmt: skip
    store(warehouse, "conversion_signals", rows.select(
        "day", "signal_id", "conversion_id", "role", "advertiser_id", "event_name"
    ).to_dicts())  # fmt: skip
    store(warehouse, "signal_identifiers",
          rows.select("day", "signal_id", "kind", "digest").to_dicts())  # fmt: skip
    store(warehouse, "identity_links", rows.select(
        "kind", "digest", "user_id", "source", "scope", "first_day", "last_day", "observations"
    ).to_dicts())  # fmt: skip
    store(warehouse, "identity_rules", [
        {"kind": "email", "priority": 1, "ttl_days": 30, "most_users": 1, "most_identifiers": 9,
         "is_unique": True}
    ])  # fmt: skip


def earned(model: str, campaign: str | None, amount: float) -> dict[str, object]:
    """Return one row of credit; that of all conversions stands with one of them."""
    micros = round(amount * 1e6)
    return {"conversion_id": "all", "model": model, "outcome": "touch", "campaign_id": campaign,
            "credit_micros": micros, "value_micros": 2 * micros, "day": NEWEST}  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("comparison") / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        fill(warehouse)
    return path


@pytest.fixture(scope="module")
def world(db: Path) -> Iterator[Warehouse]:
    with Warehouse.open(db, read_only=True) as warehouse:
        yield warehouse


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "truth_credit.parquet"
    caused = {"caused_by": ["c1", "c2", "c4"], "incremental": [30, 10, 10], "value": [1.0] * 3}
    pl.DataFrame(caused).write_parquet(path)
    return path


@pytest.fixture(scope="module")
def comparison(world: Warehouse, truth: Path) -> Comparison:
    return compare(world, truth=truth)


def row(frame: pl.DataFrame, model: str) -> dict[str, object]:
    return frame.row(by_predicate=pl.col("model") == model, named=True)


def test_calibrated_last_touch_is_the_reference_where_it_is_credited(
    comparison: Comparison,
) -> None:
    assert comparison.reference == "calibrated_last_touch"
    assert comparison.models["model"].to_list() == ["calibrated_last_touch", "last_touch"]
    assert row(comparison.models, "calibrated_last_touch")["share_error"] == 0


def test_credit_of_models_is_that_of_conversions_not_retracted(comparison: Comparison) -> None:
    told = row(comparison.models, "last_touch")
    names = ("touch", "organic", "unmatched", "rejected", "value")
    assert [told[name] for name in names] == [100, 38, 0, 0, 200]
    # shares of .8, .16 and .04 beside .5, .3 and .2
    assert told["share_error"] == pytest.approx(0.3)
    assert told["rank_correlation"] == pytest.approx(1)


def test_campaigns_stand_beside_their_lift_where_they_have_one(comparison: Comparison) -> None:
    campaigns = comparison.campaigns
    assert campaigns["campaign_id"].to_list() == ["c1", "c2", "c3"]
    assert campaigns["last_touch"].to_list() == [50, 30, 20]
    inside = campaigns["shrunk"].is_between(campaigns["shrunk_low"], campaigns["shrunk_high"])
    assert inside.to_list() == [True, True, None]


def test_credit_in_proportion_to_the_lifts_agrees_with_them_whole(comparison: Comparison) -> None:
    told = row(comparison.lifts, "calibrated_last_touch")
    assert told["scale"] == pytest.approx(1)
    assert told["weighted_error"] == pytest.approx(0, abs=1e-9)
    assert told["chi_square"] == pytest.approx(0, abs=1e-9)
    assert (told["campaigns"], told["within"]) == (2, 2)


def test_credit_out_of_proportion_is_scaled_by_least_squares_before_it_is_judged(
    comparison: Comparison,
) -> None:
    told = row(comparison.lifts, "last_touch")
    # the lifts are 40 and 8, and of scaled credit 5/8 as much is with c1 as 3/8 with c2
    scale = told["scale"]
    assert isinstance(scale, float)
    assert 8 / 30 < scale < 40 / 50
    error = abs(50 * scale - 40) + abs(30 * scale - 8)
    assert told["weighted_error"] == pytest.approx(error / 48)
    assert isinstance(told["chi_square"], float)
    assert told["chi_square"] > 0


def test_the_interval_of_the_reference_stands_beside_the_shrunk_lift(
    comparison: Comparison, world: Warehouse
) -> None:
    told = comparison.reference_intervals()
    intervals = report(world, "credit_intervals", only={"dimension": ["campaign"]})
    own = intervals.filter(model="calibrated_last_touch").sort("name")
    assert told.columns == [
        "campaign_id", "shrunk", "shrunk_low", "shrunk_high", "calibrated_last_touch", "low", "high"
    ]  # fmt: skip
    assert told["low"].to_list() == own["credit_low"].to_list()
    assert told["high"].to_list() == own["credit_high"].to_list()
    lifts = report(world, "lift", only={"dimension": ["campaign"]})
    shrunk = told["shrunk"].drop_nulls().round(1)
    assert shrunk.to_list() == lifts.sort("name")["shrunk"].to_list()


def test_incremental_is_the_reference_where_it_is_credited(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store_conversions(warehouse, [])
        models = ("calibrated_last_touch", "incremental", "last_touch")
        store(warehouse, "credits", [earned(model, "c1", 1) for model in models])
        assert compare(warehouse).reference == "incremental"


def test_a_day_without_its_credit_is_noted(tmp_path: Path) -> None:
    read = {
        "run_id": "r", "command": "ingest", "stage": "ingest", "day": NEWEST, "status": "done",
        "started_at": at(NEWEST, 1), "finished_at": at(NEWEST, 2), "adscribe_version": "1",
        "config_json": "{}",
    }  # fmt: skip
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store_conversions(warehouse, [])
        store(warehouse, "credits", [earned("linear", "c1", 1)])
        before = compare(warehouse).note
        store(warehouse, "runs", [read])
        after = compare(warehouse).note
    assert before == ""
    assert after.startswith(f"log day {NEWEST} is stored but not attributed")


def test_errors_against_the_truth_count_campaigns_of_either(comparison: Comparison) -> None:
    told = row(comparison.truth, "calibrated_last_touch")
    # 40, 8, 2 and 0 beside 30, 10, 0 and 10
    assert told["total_error"] == pytest.approx(0)
    assert told["weighted_error"] == pytest.approx(24 / 50)
    assert told["share_error"] == pytest.approx(12 / 50)
    expected = stats.spearmanr([40, 8, 2, 0], [30, 10, 0, 10]).statistic
    assert told["rank_correlation"] == pytest.approx(expected)


def test_the_first_named_model_is_the_reference(world: Warehouse) -> None:
    told = compare(world, models=["last_touch", "calibrated_last_touch"])
    assert told.reference == "last_touch"
    assert told.models["model"].to_list() == ["last_touch", "calibrated_last_touch"]
    assert told.truth.is_empty()


def test_a_warehouse_without_holdouts_has_no_lifts(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store_conversions(warehouse, [])
        store(warehouse, "credits", [earned("linear", "c1", 1), earned("linear", "c2", 1)])
        told = compare(warehouse)
    assert told.lifts.is_empty()
    assert told.lifts_note.startswith("no ads were withheld (arm control in touchpoints)")
    assert told.campaigns["shrunk"].to_list() == [None, None]
    assert told.models["rank_correlation"].to_list() == [None]  # all have the same


def test_value_of_several_currencies_has_no_sum(tmp_path: Path) -> None:
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        store_conversions(warehouse, ["one"], currency="EUR")
        store_conversions(warehouse, ["other"], currency="USD")
        credit = earned("linear", "c1", 1)
        rows = [{**credit, "conversion_id": name} for name in ("one", "other")]
        store(warehouse, "credits", rows)
        assert compare(warehouse).models["value"].to_list() == [None]


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (["last_tuch"], 'did you mean "last_touch"'),
        (["linear"], "nothing is credited under linear"),
    ],
)
def test_a_model_without_credit_is_refused(
    world: Warehouse, models: list[str], message: str
) -> None:
    with pytest.raises(UnknownNameError, match=message):
        compare(world, models=models)


def test_a_warehouse_without_credit_is_refused(tmp_path: Path) -> None:
    with (
        Warehouse.open(tmp_path / "w.duckdb") as warehouse,
        pytest.raises(InsufficientDataError, match="no credit to compare"),
    ):
        compare(warehouse)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (None, "Name the file"),
        ({"caused_by": ["c1"]}, "needs the columns caused_by and incremental; it has caused_by"),
        ({"caused_by": ["c1"], "incremental": ["x"]}, "incremental is no number"),
        ({"caused_by": ["c1"], "incremental": [0]}, "has no conversions"),
        ({"caused_by": ["c1", "c2"], "incremental": [9, -1]}, "incremental is below 0 for c2"),
        ({"caused_by": ["c1"], "incremental": [-1.0]}, "incremental is below 0 for c1"),
    ],
)
def test_a_truth_that_cannot_be_used_is_refused(
    world: Warehouse, tmp_path: Path, columns: dict[str, list[object]] | None, message: str
) -> None:
    path = tmp_path / "truth.parquet"
    if columns is not None:
        pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(InputFileError, match=message):
        compare(world, truth=path)


def test_a_file_that_is_no_parquet_is_refused(world: Warehouse, tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    path.write_text("caused_by,incremental\n")
    with pytest.raises(InputFileError, match="not a whole Parquet file"):
        compare(world, truth=path)


@few_examples
@given(amounts, amounts)
def test_rank_correlation_is_that_of_scipy(first: list[float], second: list[float]) -> None:
    size = min(len(first), len(second))
    one, other = np.round(first[:size]), np.round(second[:size])
    own = rank_correlation(one, other)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert np.isnan(own)
    else:
        assert own == pytest.approx(stats.spearmanr(one, other).statistic)


@few_examples
@given(amounts, amounts, st.floats(0.1, 10))
def test_share_error_does_not_see_how_much_is_credited(
    first: list[float], second: list[float], factor: float
) -> None:
    size = min(len(first), len(second))
    one, other = np.array(first[:size]), np.array(second[:size])
    assert share_error(factor * one, other) == pytest.approx(share_error(one, other))
    assert 0 <= share_error(one, other) <= 1
    assert weighted_error(one, other) >= abs(total_error(one, other)) - 1e-12


def test_figures_of_nothing_are_not_numbers() -> None:
    none, some = np.zeros(2), np.array([1.0, 2.0])
    found = [figure(some, none) for figure in (total_error, weighted_error, share_error)]
    assert np.isnan([*found, rank_correlation(some[:1], some[:1])]).all()


def test_stored_models_foretell_the_day_after_those_that_they_were_fitted_on(
    world: Warehouse,
) -> None:
    told = foretold(world, ["last_touch", "hazard"])
    assert told.select("model", "fitted_until", "day").rows() == [("hazard", SEEN, NEWEST)]
    assert told["conversions"].item() == CONVERTED
    assert told["histories"].item() == sum(a + b for a, b, _, _ in HELD.values())
    assert told["log_loss"].is_finite().all()
    assert foretold(world, ["last_touch"]).is_empty()


def test_command_prints_every_section_and_the_same_figures_as_json(db: Path, truth: Path) -> None:
    words = ["compare", "--db", str(db), "--truth", str(truth)]
    shown = CliRunner().invoke(cli.app, words)
    told = CliRunner().invoke(cli.app, [*words, "--json", "--models", "last_touch"])

    assert shown.exit_code == 0, shown.output
    for heading in ("by model", "by campaign", "credit by campaign", "agreement with the lifts",
                    "too uncertain to tell last_touch from", "errors against",
                    "low, high: without the doubt of causes; report incremental has it",
                    "the last 28 log days have 18 conversions of users whose ads"):  # fmt: skip
        assert heading in shown.output
    plain = json.loads(told.output)
    assert plain["reference"] == "last_touch"
    assert plain["campaigns"][0]["credit"] == {"last_touch": 50.0}
    assert plain["truth"][0]["weighted_error"] == pytest.approx(70 / 50)


def test_json_has_null_where_a_figure_is_no_number(db: Path, tmp_path: Path) -> None:
    path = tmp_path / "truth.parquet"
    pl.DataFrame({"caused_by": ["c1"], "incremental": [1e-320]}).write_parquet(path)
    told = CliRunner().invoke(cli.app, ["compare", "--db", str(db), "--truth", str(path), "--json"])

    def refuse(name: str) -> None:
        raise AssertionError(name)

    plain = json.loads(told.output, parse_constant=refuse)
    assert plain["truth"][0]["total_error"] is None
    assert plain["truth"][0]["share_error"] is not None


def test_plain_values_have_no_infinity(comparison: Comparison) -> None:
    broken = replace(
        comparison, lifts=comparison.lifts.with_columns(scale=pl.lit(np.inf), behind=pl.lit(np.nan))
    )
    written = json.dumps(broken.to_dict(), default=str, allow_nan=False)
    lifts = json.loads(written)["lifts"]
    assert {(row["scale"], row["behind"]) for row in lifts} == {(None, None)}
    assert all(row["weighted_error"] is not None for row in lifts)


def test_command_says_below_the_truth_what_no_model_could_credit(
    tmp_path: Path, truth: Path
) -> None:
    path = tmp_path / "w.duckdb"
    with Warehouse.open(path) as warehouse:
        store_conversions(warehouse, [])
        unmatched = {**earned("linear", None, 1_200), "outcome": "unmatched"}
        store(warehouse, "credits", [earned("linear", "c1", 34), unmatched])
    words = ["compare", "--db", str(path)]
    shown = CliRunner().invoke(cli.app, [*words, "--truth", str(truth)]).stdout
    assert shown.splitlines()[-1] == (
        "1,200 of 1,234 conversions are unmatched and earn no campaign anything: each total lacks "
        "what was caused of them, which hides what a model overcounts; judge by share error"
    )
    assert "unmatched and earn" not in CliRunner().invoke(cli.app, words).stdout
    # without holdouts one line says so, and no lifts are shown
    assert "no ads were withheld (arm control in touchpoints)" in shown
    assert "agreement with the lifts" not in shown


def test_command_tells_what_is_wrong_in_one_line(db: Path, tmp_path: Path) -> None:
    found = CliRunner().invoke(cli.app, ["compare", "--db", str(db), "--truth", str(tmp_path)])
    assert isinstance(found.exception, AdscribeError)
    assert "\n" not in str(found.exception)
    assert str(tmp_path) in str(found.exception)
