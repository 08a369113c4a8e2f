"""Calibrated last touch in the warehouse: its probabilities, counted and estimated by the week.

The probabilities of a week are a function of the conversions of that week and the three before, so
that days may come in any order. They are whole permille: a single late conversion seldom moves
them, and where none has moved nothing is credited anew.
"""

from datetime import date

import polars as pl

from attribution.eligibility import Rules, kind_strengths
from attribution.holdouts.calibrated_touch import estimate_rates, recency_bins
from warehouse.database import Warehouse

_CELL = ("campaign_id", "kind", "recency", "path", "conversions")


def update_holdouts(warehouse: Warehouse, day: date, rules: Rules) -> None:
    """Replace what the log day and the conversions at work tell of causes.

    Rows of holdout_days and holdout_conversions; needs the temporary tables of
    :func:`attribution.work.find_work`.
    """
    traffic = rules.traffic
    warehouse.execute("attribution/delete_holdout_days", day=day)
    warehouse.execute(
        "attribution/insert_holdout_days", day=day, bots=traffic.bots, bot_share=traffic.bot_share
    )
    warehouse.execute("attribution/known_users")
    span = warehouse.query("attribution/sought_span").row(0, named=True)
    warehouse.execute("attribution/opportunities", **span)
    with (
        warehouse.frame("kind_strengths", kind_strengths(rules)),
        warehouse.frame("recency_bins", recency_bins()),
    ):
        warehouse.execute("attribution/new_holdouts", named_click_first=rules.named_click_first)
    warehouse.execute("attribution/delete_holdout_conversions")
    warehouse.execute("attribution/insert_holdout_conversions")


def update_rates(warehouse: Warehouse, day: date) -> int:
    """Estimate the probabilities of the weeks that the log day may change.

    The other conversions of a week whose probabilities have moved are added to work_conversions;
    returns how many.
    """
    warehouse.execute("attribution/delete_gone_rates")
    added = 0
    for week in warehouse.query("attribution/rate_weeks", day=day).get_column("week"):
        rates = _estimate(warehouse, week)
        if rates.equals(warehouse.query("attribution/stored_rates", week=week)):
            continue
        warehouse.execute("attribution/delete_touch_rates", week=week)
        with warehouse.frame("new_rates", rates):
            warehouse.execute("attribution/insert_touch_rates", week=week)
        added += warehouse.execute("attribution/add_rated_conversions", week=week)
    return added


def _estimate(warehouse: Warehouse, week: date) -> pl.DataFrame:
    counts = warehouse.query("attribution/holdout_counts", week=week)
    by_role = {
        role: counts.filter(pl.col("role") == role).select(_CELL) for role in ("touched", "ghost")
    }
    lifts = counts.filter(pl.col("role").is_in(["treatment", "control"])).select(
        "campaign_id", "recency", "conversions", arm="role"
    )
    exposures = warehouse.query("attribution/holdout_exposures", week=week)
    rates = estimate_rates(by_role["touched"], by_role["ghost"], lifts, exposures)
    return rates.sort("campaign_id", "kind", "recency", "path")
