"""``adscribe train``: a model of pairs, trained on the days that are stored."""

from datetime import datetime
from typing import Annotated

import typer

import terminal
from commands.options import AsJson, ConfigFile, Db, config_of
from daily import open_run
from matching import train_active_model


def train(
    db: Db,
    day: Annotated[
        datetime | None,
        typer.Option(
            "--day",
            formats=["%Y-%m-%d"],
            metavar="YYYY-MM-DD",
            help="Last log day to train on; the last one stored when omitted.",
        ),
    ] = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Train a model of pairs on the days up to one, and use it for every day matched from now on.

    Without it, run and match train models by themselves as the days come in (docs/matching.md).

    Example: adscribe train --db ads.duckdb --day 2026-01-18
    """
    settings = config_of(config)
    with open_run(db, "train", settings, new=False) as (run, _key):
        model = train_active_model(run, None if day is None else day.date())
    if as_json:
        terminal.show_json(model.to_dict())
    else:
        terminal.show_model(model)
