"""Models that others of more log days outgrow, and conversions that a new model takes up."""

from datetime import date, timedelta

import polars as pl
import pytest

from tests.stages.histories import Starter, table
from tests.stages.learned import WEEK, attempts, config_of, days_of, make_known
from tests.stages.processing import hashes, process
from tests.stages.worlds import Day, make_logs
from warehouse.attribution_config import Model
from warehouse.checks import broken
from warehouse.config import Config
from warehouse.runs import Run


@pytest.fixture(scope="module")
def logs() -> dict[date, Day]:
    """Return the logs of a week that models are fitted on."""
    made = make_logs(worlds=24, seed=71, sent_again=False, days=WEEK)
    return {day: make_known(content) for day, content in made.items()}


def test_a_model_of_a_quarter_more_log_days_gives_the_credit_of_the_former_anew(
    start: Starter, logs: dict[date, Day]
) -> None:
    config = growing(Model.MARKOV, Model.SHAPLEY)
    run, days = start(config), WEEK[:5]
    for day in days:
        process(run, day, logs[day])
    told = attempts(run.warehouse).filter(status="accepted")
    for model in ("markov", "shapley"):
        assert days_of(run.warehouse, model, "accepted") == WEEK[1:5]
        newest = told.filter(model=model)["model_version"][-1]
        own = table(run.warehouse, "credits").filter(model=model)
        assert own["model_version"].unique().to_list() == [newest]
        assert set(own["conversion_id"]) == set(
            table(run.warehouse, "conversions")["conversion_id"]
        )
    causes = table(run.warehouse, "restatements").group_by("cause").agg(pl.col("model").unique())
    assert set(dict(causes.iter_rows())["refit"]) == {"markov", "shapley"}
    provisional = run.warehouse.query("reports/provisional_days").filter(model="shapley")
    # fits are three days apart at most, and the last to outgrow any is of 28 log days
    assert set(provisional["final_by_date"]) == {WEEK[0] + timedelta(days=28 + 3 - 2)}
    assert broken(run.warehouse) == {}


def test_dates_told_to_be_final_move_no_later_and_no_refit_moves_credit_after_them(
    start: Starter, logs: dict[date, Day]
) -> None:
    config = growing(Model.MARKOV, history_days=5)
    run, told, moved = start(config), dict[date, date](), 0
    for day in WEEK:
        own = Run(run.warehouse, f"run {day}", config)
        process(own, day, logs[day])
        restated = table(run.warehouse, "restatements").filter(
            pl.col("run_id") == own.run_id, pl.col("cause") == "refit"
        )
        moved += len(restated)
        assert all(told[one] >= day for one in restated["day"].unique())
        now = run.warehouse.query("reports/provisional_days").filter(model="markov")
        final = dict(now.select("day", "final_by_date").iter_rows())
        assert all(final[one] <= told[one] for one in told)
        told = final
    assert moved > 0
    assert told[WEEK[0]] < WEEK[-1] + timedelta(days=config.attribution.late_days)


def test_days_of_a_model_that_was_outgrown_are_served_by_the_other(
    start: Starter, logs: dict[date, Day]
) -> None:
    run = start(growing(Model.MARKOV, Model.SHAPLEY))
    for day in WEEK[:4]:
        process(run, day, logs[day])
    before, tried = hashes(run.warehouse), attempts(run.warehouse)
    for day in WEEK[:3]:
        process(run, day, logs[day])
        assert hashes(run.warehouse) == before
    assert attempts(run.warehouse).equals(tried)


def test_conversions_of_days_without_the_model_are_taken_up_by_the_next_fit(
    start: Starter, logs: dict[date, Day]
) -> None:
    run, alone = start(growing(Model.MARKOV)), growing()
    for day in WEEK[:4]:
        config = alone if day == WEEK[2] else growing(Model.MARKOV)
        process(Run(run.warehouse, f"run {day}", config), day, logs[day])
    credited = table(run.warehouse, "credits").filter(model="markov")
    conversions = table(run.warehouse, "conversions")
    assert set(credited["conversion_id"]) == set(conversions["conversion_id"])


def test_conversions_of_other_rules_are_not_taken_up(start: Starter, logs: dict[date, Day]) -> None:
    run = start(growing(Model.MARKOV))
    for day in WEEK[:3]:
        process(run, day, logs[day])
    rules = set(table(run.warehouse, "credits")["rules_version"])
    attribution = run.config.attribution.model_copy(update={"click_window_hours": 1})
    other = run.config.model_copy(update={"attribution": attribution})
    process(Run(run.warehouse, "other", other), WEEK[3], logs[WEEK[3]])
    credits = table(run.warehouse, "credits")
    assert rules < set(credits["rules_version"])
    assert credits.group_by("conversion_id").agg(pl.col("rules_version").n_unique())[
        "rules_version"
    ].unique().to_list() == [1]


def growing(*models: Model, history_days: int = 28) -> Config:
    """Return a configuration whose models are fitted from the first day on."""
    config = config_of(history_days=history_days, least_conversions=10)
    attribution = config.attribution.model_copy(update={"models": (Model.LAST_TOUCH, *models)})
    return config.model_copy(update={"attribution": attribution})
