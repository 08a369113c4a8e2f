"""Models that others of more log days outgrow, and conversions that a new model takes up."""

from datetime import date, timedelta
from pathlib import Path
from typing import Final, cast

import polars as pl
import pytest

from attribution.learned.models import LearnedModel
from attribution.learned.serving import Serving, is_due, outgrown_days, settings_of
from attribution.settings import keep_horizons
from tests.stages.histories import Starter, table
from tests.stages.learned import WEEK, attempts, config_of, days_of, make_known
from tests.stages.processing import hashes, process
from tests.stages.worlds import Day, make_logs
from warehouse.attribution_config import LearnedRules, Model
from warehouse.checks import broken
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.runs import Run

ONE_DAY: Final = timedelta(days=1)
Told = dict[tuple[object, str], date]  # by date and view: until which log day it may change


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
    longest = timedelta(days=config.attribution.late_days + 28 - 1)  # a date is on log days
    assert dict(provisional.select("day", "final_by_date").iter_rows()) == {
        day: min(WEEK[0] + timedelta(days=28 + 3 - 2), day + longest) for day in provisional["day"]
    }
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


@pytest.mark.parametrize(
    ("history_days", "refit_days", "first"),
    [(28, 7, 1), (13, 2, 6), (13, 1, 3), (13, 40, 2), (5, 3, 1), (5, 3, 6), (1, 1, 1)],
)
def test_no_schedule_outgrows_a_model_later_than_was_told(
    tmp_path: Path, history_days: int, refit_days: int, first: int
) -> None:
    # first: the log day on which a fit is accepted at last
    rules = LearnedRules(history_days=history_days, refit_days=refit_days)
    told: Told = {}
    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        keep_horizons(
            warehouse, late_days=1, longest_window_us=2 * 86_400_000_000,
            history_days=history_days, refit_days=refit_days,
        )  # fmt: skip
        serving, last = None, 0
        for number in range(1, history_days + refit_days + 8):
            day = WEEK[0] + (number - 1) * ONE_DAY
            add_conversion(warehouse, day)
            if number >= first and (serving is None or is_due(serving, day, rules)):
                begin = max(WEEK[0], day - (history_days - 1) * ONE_DAY)
                model = cast("LearnedModel", None)  # nobody asks it for credit
                serving = Serving(model, f"m{number}", begin, day, settings_of(rules))
                for moved in credit_by(warehouse, serving):
                    last = number
                    assert day <= told[moved, "final_by_date"]
                    assert day <= told[moved - ONE_DAY, "final_by_click_date"]
            if serving is not None:
                credit(warehouse, day, serving.version)
            now = warehouse.query("reports/provisional_days").filter(model="markov")
            for row in now.iter_rows(named=True):
                for view in ("final_by_date", "final_by_click_date"):
                    assert row[view] <= told.setdefault((row["day"], view), row[view])
                    told[row["day"], view] = row[view]
    assert (last > 0) == (min(first, history_days) <= outgrown_days(history_days))


def add_conversion(warehouse: Warehouse, day: date) -> None:
    """Add a conversion to a log day, and a signal by which the day is known."""
    row = {"signal_id": f"s{day}", "conversion_id": f"s{day}", "day": day, "event_time": day,
           "advertiser_id": "a1", "event_name": "purchase", "source_file": "f", "source_row": 1,
           "status": "active"}  # fmt: skip
    for name in ("signals", "conversions"):
        columns = ", ".join(column for column in row if column in table(warehouse, name).columns)
        with warehouse.frame("given", pl.DataFrame([row])):
            warehouse._connection.execute(
                f"INSERT INTO {name} BY NAME SELECT {columns} FROM given"  # noqa: S608
            )


def credit(warehouse: Warehouse, day: date, version: str) -> None:
    """Credit the conversion of a day, which has none yet, to a touch of the day before."""
    warehouse._connection.execute(
        "INSERT INTO credits BY NAME SELECT conversion_id, day, 'markov' AS model, "
        "'touch' AS outcome, 't' AS touch_id, day - 1 AS touch_time, 1000000 AS credit_micros, "
        "0 AS value_micros, $version AS model_version FROM conversions "
        "WHERE day = $day AND conversion_id NOT IN (SELECT conversion_id FROM credits)",
        {"day": day, "version": version},
    )


def credit_by(warehouse: Warehouse, new: Serving) -> list[date]:
    """Keep a model and credit what it takes up; return the dates of the credit it gives anew."""
    execute = warehouse._connection.execute
    execute(
        "INSERT INTO credit_models BY NAME SELECT 'markov' AS model, $version AS model_version, "
        "$first AS first_day, $last AS last_day, $settings AS settings, 'accepted' AS status, "
        "1 AS histories, 1 AS conversions, 'r' AS run_id, '0' AS adscribe_version",
        {"version": new.version, "first": new.first_day, "last": new.last_day,
         "settings": new.settings},
    )  # fmt: skip
    for number in range(new.days):
        credit(warehouse, new.first_day + number * ONE_DAY, new.version)
    moved = execute(
        "UPDATE credits SET model_version = $version WHERE day >= $first AND model_version IN "
        "(SELECT model_version FROM credit_models WHERE last_day - first_day + 1 <= $most) "
        "RETURNING day",
        {"version": new.version, "first": new.first_day, "most": outgrown_days(new.days)},
    ).fetchall()
    return [day for (day,) in moved]


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
