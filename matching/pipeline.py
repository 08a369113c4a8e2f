"""The matching stage: signals of one log day → identity_links, matches and match_conflicts.

Training is a stage of its own; the daily one trains only where a day has no model yet.
"""

from datetime import date
from typing import Final

from matching.deterministic import match_signals
from matching.identities import update_links
from matching.models import PairModel
from matching.probabilistic import activate, match_by_model, train_model
from warehouse.errors import ConfigError, InsufficientDataError
from warehouse.logs import unknown_day
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
        match_by_model(run, day)
        warehouse.execute("matching/insert_match_conflicts")
        warehouse.execute("matching/insert_pending_signals")
        counts.rows_in, counts.rows_out = warehouse.query("matching/count_matches").row(0)


def train_active_model(run: Run, last_day: date | None) -> PairModel:
    """Train a model on the stored log days up to one, and let it serve every day from now on.

    Parameters
    ----------
    run : Run
        The run whose warehouse, configuration and ledger are used.
    last_day : date or None
        The last log day that it is trained on; the last one stored where it is None.

    Raises
    ------
    InsufficientDataError
        If a day has not been matched yet, or too few signals are known to be of a candidate.
    InputFileError
        If `last_day` is not stored.
    ConfigError
        If the configuration turns models off.
    """
    warehouse = run.warehouse
    if not run.config.model.enabled:
        raise ConfigError("[model] enabled is false, so no model would be used. Set it to true.")
    days = warehouse.query("ledger/stored_days")["day"]
    waiting = warehouse.query("matching/waiting_days")["day"]
    if days.is_empty() or not waiting.is_empty():
        reason = "no log day is stored" if days.is_empty() else f"{waiting[0]} is not matched yet"
        raise InsufficientDataError(f"{warehouse.path}: {reason}. Run adscribe run or match first.")
    last_day = days[-1] if last_day is None else last_day
    if last_day not in days:
        raise unknown_day(set(days), last_day)
    with run.stage("train", last_day) as counts:
        trained = train_model(run, last_day)
        activate(warehouse, trained.model.version)
        counts.rows_in = trained.model.facts.counts["signals"]
        counts.rows_out = trained.model.facts.counts["named"]
    return trained.model
