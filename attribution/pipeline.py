"""The attribution stage: signals and matches of one log day → conversions and credits."""

from datetime import date

from attribution.conversions import update_conversions
from attribution.credit import update_credits
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
    WarehouseError
        If a check finds a row that must not exist; nothing of the stage is kept then.
    """
    warehouse, config = run.warehouse, run.config
    with run.stage("attribute", day) as counts:
        update_conversions(warehouse, day, config.attribution)
        update_credits(
            warehouse,
            day,
            run_id=run.run_id,
            matching=config.matching,
            attribution=config.attribution,
        )
        warehouse.execute("attribution/delete_pending_signals")
        check_day(warehouse, day)
        counts.rows_in, counts.rows_out = warehouse.query("attribution/count_credits").row(0)
