"""Signals that no identifier gave a user: a model says who sent them, and how sure that is.

Each log day has one: that which ``adscribe train`` made last, or that of the schedule
(:mod:`matching.models`), which is trained when a day first needs it.
"""

import logging
from datetime import date

import polars as pl

from matching.blocking import find_candidates
from matching.comparisons import compare_parts
from matching.models import (
    ACTIVE_MODEL,
    PairModel,
    active_model,
    models_folder,
    newest_scheduled_day,
    settings_of,
    training_day,
)
from matching.selection import compete, select, thresholds
from matching.training import Trained, train
from warehouse.config import ModelConfig
from warehouse.database import Warehouse
from warehouse.errors import InsufficientDataError
from warehouse.runs import Run

_log = logging.getLogger("adscribe")


def match_by_model(run: Run, day: date) -> None:
    """Store the likeliest users of the signals at work that no identifier gave one.

    Parameters
    ----------
    run : Run
        The run whose warehouse and configuration are used.
    day : date
        The log day that is matched whole; signals at work may be of others as well.
    """
    warehouse, config = run.warehouse, run.config.model
    warehouse.execute("matching/delete_match_thresholds", day=day)
    warehouse.execute("matching/delete_blocking_days", day=day)
    if not config.enabled:
        return
    for log_day in warehouse.query("matching/unmatched_days")["day"]:
        model = model_of(run, log_day)
        if model is None:
            continue
        warehouse.execute("matching/unmatched_signals", day=log_day)
        find_candidates(warehouse, log_day, model.settings(config))
        limits = limits_of(warehouse, model.version, config)
        if log_day == day:
            warehouse.execute("matching/insert_blocking_days", day=day)
            with warehouse.frame("limits", limits):
                warehouse.execute(
                    "matching/insert_match_thresholds", day=day, model_version=model.version
                )
        for pairs in compare_parts(warehouse):
            chosen = select(compete(pairs, model), limits, config)
            with warehouse.frame("selected", chosen):
                warehouse.execute("matching/insert_model_matches", model_version=model.version)


def limits_of(warehouse: Warehouse, version: str, config: ModelConfig) -> pl.DataFrame:
    """Return the thresholds of the advertisers of model_signals under one model."""
    held_out = warehouse.query("matching/held_out_signals", model_version=version)
    advertisers = warehouse.query("matching/chosen_advertisers")["advertiser_id"].to_list()
    return thresholds(held_out, advertisers, config)


def model_of(run: Run, day: date) -> PairModel | None:
    """Return the model that serves a log day, training that of the schedule where it is missing.

    None where too few signals are known to be of a user by then.

    Raises
    ------
    ConfigError
        If the active model cannot be read or was trained on other features.
    """
    warehouse, config = run.warehouse, run.config.model
    folder = models_folder(warehouse)
    active = active_model(warehouse)
    if active is not None:
        return PairModel.load(folder / active)
    last_day = training_day(warehouse, day, config)
    if last_day is None:
        _log.info(
            "no model for %s: fewer than %d signals of %d days show the e-mail or phone of a user",
            day, config.enough_signals, config.training_days,
        )  # fmt: skip
        return None
    known = _scheduled(warehouse, last_day, config)
    if known is not None:
        return known
    try:
        return train_model(run, last_day).model
    except InsufficientDataError as error:
        _log.info("no new model for %s: %s", day, error)
    newest = newest_scheduled_day(warehouse, day, config)
    return None if newest is None else _scheduled(warehouse, newest, config)


def _scheduled(warehouse: Warehouse, last_day: date, config: ModelConfig) -> PairModel | None:
    """Return the schedule's model of the days up to one, where its folder is there."""
    known = warehouse.query(
        "matching/scheduled_model", last_day=last_day, settings=settings_of(config)
    )
    if known.is_empty():
        return None
    folder = models_folder(warehouse) / str(known.item())
    return PairModel.load(folder) if folder.is_dir() else None


def train_model(run: Run, last_day: date) -> Trained:
    """Train a model on the log days up to `last_day`, save it, and list it in the warehouse.

    Raises
    ------
    InsufficientDataError
        If too few signals are known to be of one of their candidates.
    """
    warehouse = run.warehouse
    trained = train(warehouse, last_day, run.config.model)
    model, facts = trained.model, trained.model.facts
    model.save(models_folder(warehouse))
    row = pl.DataFrame(
        {
            "model_version": [model.version],
            "trained_by": [run.command],
            "settings": [settings_of(run.config.model)],
            "first_day": [date.fromisoformat(facts.first_day)],
            "last_day": [last_day],
            **{name: [count] for name, count in facts.counts.items()},
            **{name: [value] for name, value in facts.metrics.items()},
            "adscribe_version": [facts.adscribe_version],
        }
    )
    warehouse.execute(
        "matching/delete_pair_model",
        model_version=model.version,
        trained_by=run.command,
        last_day=last_day,
        settings=settings_of(run.config.model),
    )
    warehouse.execute("matching/delete_held_out_signals")
    with warehouse.frame("trained", row):
        warehouse.execute("matching/insert_pair_model")
    with warehouse.frame("held_out", trained.held_out):
        warehouse.execute("matching/insert_held_out_signals", model_version=model.version)
    _log.info(
        "trained model %s on %s to %s: %d signals with an e-mail or phone, %d shared with a "
        "candidate, average precision %.3f on persons held out",
        model.version, facts.first_day, facts.last_day, facts.counts["signals"],
        facts.counts["named"], facts.metrics["average_precision"],
    )  # fmt: skip
    return trained


def activate(warehouse: Warehouse, version: str) -> None:
    """Let one model serve every log day that is matched from now on."""
    known = warehouse.query("ledger/setting", name=ACTIVE_MODEL)
    statement = "ledger/record_setting" if known.is_empty() else "ledger/update_setting"
    warehouse.execute(statement, name=ACTIVE_MODEL, value=version)
