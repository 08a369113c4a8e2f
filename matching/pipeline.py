"""The matching stage: signals of one log day → identity_links, matches and match_conflicts."""

from datetime import date
from typing import Final

from matching.deterministic import match_signals
from matching.identities import update_links
from warehouse.runs import Run

DETERMINISTIC_VERSION: Final = "deterministic-2"


def match_day(run: Run, day: date) -> None:
    """Match the signals of one log day, and any of other days that the logs now speak of.

    Parameters
    ----------
    run : Run
        The run whose warehouse, configuration and ledger are used.
    day : date
        The log day; its logs have been ingested.
    """
    warehouse = run.warehouse
    with run.stage("match", day) as counts:
        update_links(warehouse, day, run.config)
        match_signals(warehouse, day)
        warehouse.execute("matching/delete_matches", day=day)
        warehouse.execute("matching/delete_match_conflicts", day=day)
        warehouse.execute("matching/insert_matches", model_version=DETERMINISTIC_VERSION)
        warehouse.execute("matching/insert_match_conflicts")
        warehouse.execute("matching/insert_pending_signals")
        counts.rows_in, counts.rows_out = warehouse.query("matching/count_matches").row(0)
