"""The attribution stage: signals and matches of one log day → conversions, paths and credits."""

from datetime import date

from attribution.conversions import update_conversions
from attribution.credit import credit_conversions, rank_touches
from attribution.eligibility import Rules, longest_window_us, resolve
from attribution.holdouts.rates import update_holdouts, update_rates
from attribution.learned.credit import credit_by_learned
from attribution.money import check_rates, load_rates
from attribution.settings import keep_horizons, keep_rules
from attribution.traffic import update_invalid_traffic
from attribution.work import find_work, take_stored
from warehouse.attribution_config import LEARNED_MODELS, Model
from warehouse.checks import check_day
from warehouse.runs import Run


def attribute_day(run: Run, day: date) -> None:
    """Credit the conversions that one log day concerns, and check that everything adds up.

    Parameters
    ----------
    run : Run
        The run whose warehouse, configuration and ledger are used.
    day : date
        The log day; it has been ingested and matched.

    Raises
    ------
    ConfigError
        If the configuration names a preset that does not exist, or money has no rate.
    WarehouseError
        If a check finds a row that must not exist; nothing of the stage is kept then.
    """
    warehouse, config = run.warehouse, run.config.attribution
    rules = resolve(config)
    with run.stage("attribute", day) as counts:
        warehouse.execute(
            "attribution/insert_rules",
            rules_version=rules.version,
            settings=rules.settings(),
            run_id=run.run_id,
        )
        keep_rules(warehouse, rules.version)
        longest = longest_window_us(rules)
        keep_horizons(
            warehouse,
            late_days=config.late_days,
            longest_window_us=longest,
            history_days=config.learned.history_days,
            refit_days=config.learned.refit_days,
        )
        load_rates(warehouse, config.money)
        update_invalid_traffic(warehouse, day, rules.traffic)
        update_conversions(warehouse, day, config)
        check_rates(warehouse, config.money)
        find_work(warehouse, day, rules, run.config.matching.order)
        rows = _credit(run, day, rules)
        warehouse.execute("attribution/delete_pending_signals")
        check_day(warehouse, day)
        counts.rows_in = int(warehouse.query("attribution/count_order_signals").item())
        counts.rows_out = rows


def _credit(run: Run, day: date, rules: Rules) -> int:
    """Credit the conversions at work, the rule models first; return how many rows."""
    warehouse, models = run.warehouse, run.config.attribution.models
    calibrated = tuple(model for model in models if model is Model.CALIBRATED_LAST_TOUCH)
    learned = tuple(model for model in models if model in LEARNED_MODELS)
    apart = calibrated + learned
    of_rules = tuple(model for model in models if model not in apart)
    rank_touches(warehouse, rules)
    rows = credit_conversions(warehouse, of_rules, rules, run_id=run.run_id, beside=apart)
    if calibrated:
        update_holdouts(warehouse, day, rules)
        if update_rates(warehouse, day):
            take_stored(warehouse, rules)
            rank_touches(warehouse, rules)
        rows += credit_conversions(warehouse, calibrated, rules, run_id=run.run_id)
        if learned and warehouse.execute("attribution/delete_rated_conversions"):
            take_stored(warehouse, rules)
            rank_touches(warehouse, rules)
    return rows + credit_by_learned(run, learned, day, rules)
