"""Fitted models in the daily run, over worlds of a week."""

import logging
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import polars as pl
import pytest
from numpy.linalg import LinAlgError
from pydantic import ValidationError

from attribution import explain_conversion
from attribution.history_frames import day_of, find_segments
from attribution.learned.markov import MarkovModel
from attribution.learned.models import LEARNED
from attribution.learned.predictions import foretold
from attribution.paths import KINDS, Paths, Touches
from tests.stages.histories import Processed, Starter, table
from tests.stages.learned import (
    LEARNED_NAMES,
    RULES,
    WEEK,
    attempts,
    config_of,
    days_of,
    make_known,
)
from tests.stages.processing import hashes, process
from tests.stages.worlds import Day, make_logs
from warehouse.attribution_config import LEARNED_MODELS, AttributionConfig, Model
from warehouse.checks import broken
from warehouse.config import Config, with_models
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.runs import Run

MICROSECOND: Final = timedelta(microseconds=1)
MILLION: Final = 1_000_000
PAIR: Final = ["conversion_id", "model"]
EARNED: Final = [
    *PAIR, "outcome", "user_id", "touch_id", "campaign_id", "credit_micros", "value_micros",
    "reason",
]  # fmt: skip


CONFIG_OF_THE_WEEK: Final = config_of(Model.CALIBRATED_LAST_TOUCH)


@dataclass(frozen=True)
class State:
    """What a warehouse held when a log day was done."""

    hashes: dict[str, str]
    credits: pl.DataFrame
    restatements: pl.DataFrame
    provisional: pl.DataFrame


@dataclass(frozen=True)
class Week(Processed):
    """A week that was processed, and what was there after each day."""

    after: dict[date, State] = field(default_factory=dict)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Week:
    """Return worlds whose days were processed in turn under all fitted models."""
    made = make_logs(worlds=24, seed=71, sent_again=False, days=WEEK)
    logs = {day: make_known(content) for day, content in made.items()}
    path, after = tmp_path_factory.mktemp("learned") / "w.duckdb", {}
    with Warehouse.open(path) as warehouse:
        run = Run(warehouse, "run", CONFIG_OF_THE_WEEK)
        for day, content in logs.items():
            process(run, day, content)
            after[day] = State(
                hashes(warehouse),
                table(warehouse, "credits"),
                table(warehouse, "restatements"),
                warehouse.query("reports/provisional_days"),
            )
    return Week(logs, path, after)


def test_every_conversion_of_the_week_is_credited_whole_under_every_model(
    start: Starter, week: Week
) -> None:
    """Those of the days before the first model were taken up by it."""
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    assert broken(warehouse) == {}
    conversions = set(table(warehouse, "conversions")["conversion_id"])
    for name in CONFIG_OF_THE_WEEK.attribution.models:
        assert set(table(warehouse, "credits").filter(model=name)["conversion_id"]) == conversions
    for model in LEARNED_NAMES:
        outcomes = table(warehouse, "credits").filter(model=model)["outcome"]
        # ads cause nothing in these worlds, which a model may find out
        assert {*outcomes, "touch"} == {"touch", "organic", "unmatched", "rejected"}
    assert "touch" in set(table(warehouse, "credits").filter(model="markov")["outcome"])


def test_there_is_no_credit_before_there_is_a_model(start: Starter, week: Week) -> None:
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    for model in LEARNED_NAMES:
        first = days_of(warehouse, model, "accepted")[0]
        assert first > WEEK[0]
        credited = [day for day in WEEK if model in set(week.after[day].credits["model"])]
        assert credited == WEEK[WEEK.index(first) :]
        assert (
            days_of(warehouse, model, "refused")[: WEEK.index(first)] == WEEK[: WEEK.index(first)]
        )
    few = attempts(warehouse).filter(last_day=WEEK[0])["reason"]
    assert all(f"least_conversions is {RULES.least_conversions}" in reason for reason in few)


def days_at(day: date) -> int:
    """Return how many log days a model of that day is fitted on."""
    return min((day - WEEK[0]).days + 1, RULES.history_days)


def test_a_model_is_fitted_when_the_one_before_is_as_old_as_told_or_on_half_the_days(
    start: Starter, week: Week
) -> None:
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    for model in LEARNED_NAMES:
        served = None
        expected = []
        refused = days_of(warehouse, model, "refused")
        for day in WEEK:
            is_old = served is None or (day - served).days >= RULES.refit_days
            has_grown = served is not None and 4 * days_at(day) >= 5 * days_at(served)
            if (is_old or has_grown) and day not in refused:
                served = day
                expected.append(day)
        assert days_of(warehouse, model, "accepted") == expected
        assert len(expected) > 1
    fitted = attempts(warehouse).filter(status="accepted")
    assert set(fitted["last_day"] - fitted["first_day"]) <= {timedelta(days=n) for n in (2, 3, 4)}


def test_credit_is_given_by_the_model_of_the_log_day_that_came_last(
    start: Starter, week: Week
) -> None:
    """A conversion first told on the last day has credit of the last model alone."""
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    signals = table(warehouse, "conversion_signals")
    new = signals.filter(day=WEEK[-1], role="first")["conversion_id"]
    credits = table(warehouse, "credits").filter(pl.col("model").is_in(LEARNED_NAMES))
    newest = attempts(warehouse).filter(status="accepted").group_by("model").last()
    found = credits.filter(pl.col("conversion_id").is_in(new.implode()))
    assert set(found.select("model", "model_version").rows()) == set(
        newest.select("model", "model_version").rows()
    )
    assert attempts(warehouse).filter(status="accepted")["model_version"].n_unique() > len(newest)
    assert table(warehouse, "credits").filter(model="last_touch")["model_version"].is_null().all()


def test_rates_of_another_model_restate_no_fitted_one(start: Starter, week: Week) -> None:
    restated = table(start(CONFIG_OF_THE_WEEK, copy=week).warehouse, "restatements")
    assert set(restated.filter(cause="rates")["model"]) == {"calibrated_last_touch"}
    assert set(restated["model"]) == set(CONFIG_OF_THE_WEEK.attribution.models)


@pytest.mark.parametrize("name", LEARNED_MODELS, ids=str)
def test_credit_is_what_the_model_gives_the_same_path(
    start: Starter, week: Week, name: Model
) -> None:
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    credits = table(warehouse, "credits").filter(model=name)
    earned = {
        (row["conversion_id"], row["user_id"], row["touch_id"]): row["credit_micros"]
        for row in credits.filter(pl.col("user_id").is_not_null()).to_dicts()
    }
    paths = 0
    for row in attempts(warehouse).filter(model=name, status="accepted").to_dicts():
        model = LEARNED[name].from_json(row["body"])
        find_segments(warehouse, row["first_day"], row["last_day"])
        quarters = dict(table(warehouse, "history_users").iter_rows())
        given = credits.filter(model_version=row["model_version"])
        for part, touches in paths_of(warehouse, given):
            quarter = quarters.get(part["user_id"], 1)
            shares = model.credit(one_path(part, touches, quarter))
            key = part["conversion_id"], part["user_id"]
            got = [earned.get((*key, touch["touch_id"]), 0) for touch in touches]
            expected = part["user_micros"] * shares
            assert np.abs(np.array(got) - expected).max() <= 2
            assert abs(sum(got) + earned.get((*key, None), 0) - part["user_micros"]) == 0
            paths += 1
    assert paths > 50


def paths_of(
    warehouse: Warehouse, given: pl.DataFrame
) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Return who may have made conversions, with their touches that may earn, oldest first."""
    reinstalled = given.filter(reason="reinstall").select("conversion_id", "user_id")
    refused = given.filter(outcome="rejected").select("conversion_id")
    parts = (
        table(warehouse, "conversion_users")
        .join(given.select("conversion_id").unique(), on="conversion_id")
        .join(reinstalled, on=["conversion_id", "user_id"], how="anti")
        .join(refused, on="conversion_id", how="anti")
        .join(
            table(warehouse, "conversions").select("conversion_id", "advertiser_id", "event_time"),
            on="conversion_id",
        )
    )
    touches = table(warehouse, "path_touches").filter(pl.col("reason").is_null())
    touches = touches.sort("touch_time", "campaign_id", "kind", "touch_id")
    by_path = touches.partition_by("conversion_id", "user_id", as_dict=True)
    return [
        (part, by_path[part["conversion_id"], part["user_id"]].to_dicts())
        for part in parts.to_dicts()
        if (part["conversion_id"], part["user_id"]) in by_path
    ]


def one_path(part: dict[str, Any], touches: list[dict[str, Any]], quarter: int) -> Paths:
    """Return a path as a model is to see it."""
    made = Paths.of([[touch["campaign_id"] for touch in touches]], [1])
    return Paths(
        **{
            **vars(made),
            "advertisers": (part["advertiser_id"],),
            "segments": (f"quarter {quarter}",),
            "touches": Touches(
                made.touches.channel,
                np.array([KINDS.index(touch["kind"]) for touch in touches], dtype=np.int32),
                np.array([_us(touch["touch_time"]) for touch in touches]),
                made.touches.shown,
            ),
            "end_us": np.array([_us(part["event_time"])]),
        }
    )


def _us(moment: Any) -> int:
    epoch = type(moment)(1970, 1, 1)
    return int((moment - epoch) / MICROSECOND)


def test_the_last_day_again_changes_nothing(start: Starter, week: Week) -> None:
    run = start(CONFIG_OF_THE_WEEK, copy=week)
    before, tried = hashes(run.warehouse), attempts(run.warehouse)
    process(run, WEEK[-1], week.logs[WEEK[-1]])
    assert hashes(run.warehouse) == before
    assert attempts(run.warehouse).equals(tried)


def test_rows_in_another_order_give_the_same_models(start: Starter, week: Week) -> None:
    run, days = start(config_of(Model.CALIBRATED_LAST_TOUCH)), WEEK[:3]
    for day in days:
        content = week.logs[day]
        process(
            run, day, Day(content.activity[::-1], content.touchpoints[::-1], content.signals[::-1])
        )
    # these two hold the numbers of their rows in the files
    differ = differing(hashes(run.warehouse), week.after[days[-1]].hashes)
    assert differ <= {"touchpoints", "signals"}
    known = attempts(start(CONFIG_OF_THE_WEEK, copy=week).warehouse)
    expected = known.filter(pl.col("last_day") <= days[-1]).drop("run_id")
    assert attempts(run.warehouse).drop("run_id").equals(expected)
    assert expected["body"].is_not_null().any()


def test_hashes_tell_what_came_of_a_fit_and_not_who_did_it(start: Starter, week: Week) -> None:
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    before = hashes(warehouse)
    warehouse._connection.execute("UPDATE credit_models SET run_id = 'other', body = NULL")
    assert hashes(warehouse) == before
    warehouse._connection.execute("UPDATE credit_models SET status = 'refused'")
    assert differing(hashes(warehouse), before) == {"credit_models"}


def differing(one: dict[str, str], other: dict[str, str]) -> set[str]:
    """Return the tables whose hashes are not the same."""
    assert one.keys() == other.keys()
    return {name for name in one if one[name] != other[name]}


def test_a_refit_moves_no_credit_that_stands(week: Week) -> None:
    """Whatever changed on a log day was looked at for a reason, which restatements name."""
    for before, now in pairwise(week.after.values()):
        stood = set(before.credits.select(PAIR).rows())
        restated = later_restatements(before, now)
        changed = changed_pairs(before.credits, now.credits) & stood
        assert changed == set(restated.select(PAIR).rows())
        assert "models" not in set(restated["cause"])


def test_a_final_date_changes_only_with_what_is_told_of_its_conversions(
    start: Starter, week: Week
) -> None:
    """Under fitted models no refit moves it, and no touch that comes in time."""
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    in_time = timedelta(days=CONFIG_OF_THE_WEEK.attribution.late_days)
    late = table(warehouse, "touchpoints").filter(
        pl.col("day") - pl.col("event_time").dt.date() > in_time
    )
    of_late = table(warehouse, "path_touches").join(late, on=["user_id", "touch_id"], how="semi")
    last, known = week.after[WEEK[-1]], set()
    for then in week.after.values():
        final = then.provisional.filter(
            ~pl.col("provisional_by_date"), pl.col("model").is_in(LEARNED_NAMES)
        ).select("day", "model")
        known |= set(final.rows())
        changed = changed_pairs(
            then.credits.join(final, on=["day", "model"]),
            last.credits.join(final, on=["day", "model"]),
        )
        later = later_restatements(then, last)
        told = later.filter(~pl.col("cause").is_in(["touches", "rates", "rules", "models"]))
        unnamed = changed - set(told.select(PAIR).rows())
        assert {conversion for conversion, _ in unnamed} <= set(of_late["conversion_id"])
    assert {(WEEK[2], model) for model in LEARNED_NAMES} <= known


def changed_pairs(before: pl.DataFrame, after: pl.DataFrame) -> set[tuple[str, str]]:
    """Return the conversions whose credit under a model is not the same, with the model."""
    return {
        (row[0], row[1])
        for one, other in ((before, after), (after, before))
        for row in set(one.select(EARNED).rows()) - set(other.select(EARNED).rows())
    }


def later_restatements(before: State, after: State) -> pl.DataFrame:
    columns = after.restatements.columns
    return after.restatements.join(before.restatements, on=columns, how="anti", nulls_equal=True)


def test_a_changed_body_leaves_the_one_before_to_serve(start: Starter, week: Week) -> None:
    run = start(config_of(least_conversions=10**6), copy=week)
    known = attempts(run.warehouse).filter(model="markov", status="accepted")
    before, newest = known["model_version"].to_list()[-2:]
    for body in ("{}", known["body"][-1].replace(".", "9"), "[" * 200_000):
        run.warehouse._connection.execute(
            "UPDATE credit_models SET body = $1 WHERE model_version = $2", [body, newest]
        )
        process(run, WEEK[-1], week.logs[WEEK[-1]])
        credited = table(run.warehouse, "credits").filter(model="markov")
        assert {before} <= set(credited["model_version"])
        assert foretold(run.warehouse, LEARNED_NAMES).height > 0
        assert broken(run.warehouse) == {}


def test_models_that_serve_no_day_to_come_again_are_let_go(start: Starter, week: Week) -> None:
    """Their rows stay, and all that reads models goes on."""
    config = config_of(history_days=1, refit_days=1, least_conversions=1)
    config = config.model_copy(
        update={"attribution": config.attribution.model_copy(update={"late_days": 0})}
    )
    run = start(config, copy=week)
    known = attempts(run.warehouse).filter(model="markov", status="accepted")
    *older, newer = known.rows(named=True)
    process(run, WEEK[-1], week.logs[WEEK[-1]])
    now = attempts(run.warehouse).filter(model="markov", status="accepted")
    assert now.filter(pl.col("body").is_null()).drop("body").to_dicts() == [
        {name: value for name, value in row.items() if name != "body"} for row in older
    ]
    assert now.filter(pl.col("body").is_not_null())["last_day"].to_list() == [
        newer["last_day"],
        WEEK[-1],
    ]
    assert {"counterfactual", "hazard"} <= set(foretold(run.warehouse, LEARNED_NAMES)["model"])
    credits = table(run.warehouse, "credits").filter(model_version=newer["model_version"])
    run.warehouse._connection.execute("UPDATE credit_models SET body = NULL")
    told = explain_conversion(
        run.warehouse, credits["conversion_id"][0], config.attribution
    ).credits
    assert {
        (row["model_version"], row["fitted_from"], row["fitted_until"])
        for row in told
        if row["model"] == "markov"
    } == {(newer["model_version"], newer["first_day"], newer["last_day"])}

    process(run, WEEK[3], week.logs[WEEK[3]])
    tried = attempts(run.warehouse).filter(model="markov", last_day=WEEK[3])
    again = tried.filter(settings="history_days=1")
    assert again.select("status", "first_day").rows() == [("accepted", WEEK[3])]
    signals = table(run.warehouse, "conversion_signals").filter(day=WEEK[3], role="first")
    served = table(run.warehouse, "credits").filter(
        pl.col("conversion_id").is_in(signals["conversion_id"].implode()), model="markov"
    )
    assert served["model_version"].unique().to_list() == again["model_version"].to_list()
    assert broken(run.warehouse) == {}


def test_no_model_holds_anything_that_names_a_person_or_an_event(
    start: Starter, week: Week
) -> None:
    warehouse = start(CONFIG_OF_THE_WEEK, copy=week).warehouse
    ids = {
        name
        for logs in ("activity", "touchpoints", "signals")
        for column in ("user_id", "touch_id", "signal_id", "order_id")
        if column in (frame := table(warehouse, logs)).columns
        for name in frame[column].drop_nulls()
    }
    bodies = attempts(warehouse)["body"].drop_nulls()
    assert len(bodies) >= 2 * len(LEARNED_NAMES)
    campaigns = table(warehouse, "touchpoints")["campaign_id"].unique()
    for body in bodies:
        assert any(campaign in body for campaign in campaigns)
        assert [name for name in ids if name in body] == []


def test_a_refit_that_fails_its_guardrails_leaves_the_former_to_serve_and_says_so(
    start: Starter, week: Week, caplog: pytest.LogCaptureFixture
) -> None:
    run, day = start(config_of(most_moved=0.0, refit_days=1), copy=week), WEEK[-1]
    before = attempts(run.warehouse).filter(status="accepted")
    due = before.group_by("model").last().filter(pl.col("last_day") < day)
    with caplog.at_level(logging.WARNING, logger="adscribe"):
        process(run, day, week.logs[day])
    after = attempts(run.warehouse)
    assert after.filter(status="accepted").equals(before)
    refused = after.filter(last_day=day, status="refused")
    assert set(refused["model"]) == set(due["model"])
    assert len(due) > 1
    assert refused["body"].is_null().all()
    assert all("most_moved is 0.0" in reason for reason in refused["reason"])
    for row in due.to_dicts():
        told = [line for line in caplog.messages if line.startswith(f"{row['model']}:")]
        assert len(told) == 1
        assert f"{row['model_version']} of {row['last_day']} serves on" in told[0]
    assert broken(run.warehouse) == {}

    allowed = Run(run.warehouse, "run", config_of(refit_days=1))
    process(allowed, day, week.logs[day])
    now = attempts(run.warehouse).filter(last_day=day)
    assert {"markov", "shapley"} <= set(now.filter(status="accepted")["model"])
    assert not any("most_moved" in reason for reason in now["reason"].drop_nulls())


def test_a_stored_model_that_cannot_be_read_is_told_and_another_is_fitted(
    start: Starter, week: Week, caplog: pytest.LogCaptureFixture
) -> None:
    run, day = start(CONFIG_OF_THE_WEEK, copy=week), WEEK[-1]
    before = attempts(run.warehouse).filter(status="accepted", model="markov")
    run.warehouse._connection.execute("UPDATE credit_models SET body = left(body, 20)")

    with caplog.at_level(logging.WARNING, logger="adscribe"):
        process(run, day, week.logs[day])

    told = [line for line in caplog.messages if line.startswith("markov:")]
    assert told == [
        f"markov: {version} of {last_day} cannot be read in credit_models; another serves"
        for version, last_day in before.select("model_version", "last_day").rows()[::-1]
    ]
    assert (
        attempts(run.warehouse).filter(last_day=day, model="markov")["status"].item() == "accepted"
    )
    assert broken(run.warehouse) == {}


def test_a_fit_that_breaks_is_refused_and_the_day_is_credited_all_the_same(
    start: Starter, week: Week, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_fit(*_: object) -> MarkovModel:
        raise LinAlgError("Singular matrix.\nMore of it")

    monkeypatch.setattr(MarkovModel, "fit", broken_fit)
    run = start(config_of(refit_days=1), copy=week)
    credited = table(run.warehouse, "credits").filter(model="markov")
    process(run, WEEK[-1], week.logs[WEEK[-1]])
    (row,) = attempts(run.warehouse).filter(model="markov", last_day=WEEK[-1]).to_dicts()
    assert (row["status"], row["reason"]) == ("refused", "Singular matrix")
    assert row["model_version"] is None
    again = table(run.warehouse, "credits").filter(model="markov")
    assert again.sort(again.columns).equals(credited.sort(credited.columns))


def test_a_day_before_all_models_is_served_by_the_one_that_outgrew_the_oldest(
    start: Starter, week: Week
) -> None:
    run = start(config_of(Model.CALIBRATED_LAST_TOUCH, least_conversions=10**6), copy=week)
    process(run, WEEK[0], week.logs[WEEK[0]])
    assert broken(run.warehouse) == {}
    kept = attempts(run.warehouse).filter(pl.col("last_day") <= WEEK[4], status="accepted")
    grown = kept.group_by("model").last()
    signals = table(run.warehouse, "conversion_signals").filter(day=WEEK[0], role="first")
    credits = table(run.warehouse, "credits").filter(
        pl.col("model").is_in(LEARNED_NAMES)
        & pl.col("conversion_id").is_in(signals["conversion_id"].implode())
    )
    assert set(credits["model_version"]) == set(grown["model_version"])


def test_fitted_models_stand_beside_one_that_needs_no_fit() -> None:
    with pytest.raises(ValidationError, match="name a model beside it"):
        AttributionConfig(models=(Model.MARKOV, Model.HAZARD))
    with pytest.raises(ConfigError, match="--models: shapley is fitted on the logs"):
        with_models(Config(), "shapley")
    beside = with_models(Config(), "shapley,last_click").attribution.models
    assert beside == (Model.SHAPLEY, Model.LAST_CLICK)
    assert set(LEARNED) == set(LEARNED_MODELS)


def test_a_time_is_of_its_date() -> None:
    midnight = 20_513 * 86_400 * MILLION
    assert day_of(midnight) == day_of(midnight + 86_400 * MILLION - 1) == date(2026, 3, 1)
    assert day_of(midnight - 1) == date(2026, 2, 28)
