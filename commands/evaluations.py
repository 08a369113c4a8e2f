"""``adscribe evaluate``: matches beside a truth or what was held out, and blocking by itself."""

from pathlib import Path
from typing import Annotated

import typer

import terminal
from commands.options import AsJson, ConfigFile, Day, Db, config_of
from matching.blocking_evaluation import evaluate_blocking
from matching.evaluation import evaluate
from matching.held_out_evaluation import evaluate_held_out
from warehouse.database import Warehouse

app = typer.Typer(invoke_without_command=True)
Truth = Annotated[
    Path | None, typer.Option("--truth", help="Parquet with signal_id and user_id (null: nobody).")
]


@app.callback()
def matches(
    context: typer.Context,
    db: Annotated[Path | None, typer.Option("--db", help="The warehouse, a DuckDB file.")] = None,
    truth: Truth = None,
    as_json: AsJson = False,
) -> None:
    """Compare the matches with a known truth, or the model with e-mails and phones held out.

    Example: adscribe evaluate --db ads.duckdb --truth world/truth_match.parquet
    """
    if context.invoked_subcommand is not None:
        if db is not None or truth is not None or as_json:
            raise typer.BadParameter(f"options stand after {context.invoked_subcommand}.")
        return
    if db is None:
        raise typer.BadParameter("Missing option '--db'.")
    with Warehouse.open(db, read_only=True) as warehouse:
        if truth is None:
            held_out = evaluate_held_out(warehouse)
            if as_json:
                terminal.show_json(held_out.to_dict())
            else:
                terminal.show_held_out(held_out)
            return
        evaluation = evaluate(warehouse, truth)
    if as_json:
        terminal.show_json(evaluation.to_dict())
    else:
        terminal.show_evaluation(evaluation)


@app.command()
def blocking(
    db: Db,
    truth: Truth = None,
    day: Day = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find candidates anew: how many, how many true users are among them, and by which keys.

    Without a truth, the users known by the e-mail or phone of a signal are.

    Example: adscribe evaluate blocking --db ads.duckdb --truth world/truth_match.parquet
    """
    settings = config_of(config)
    with (
        Warehouse.open(db, read_only=True, config=settings.warehouse) as warehouse,
        terminal.progress_bar() as move,
    ):
        evaluation = evaluate_blocking(
            warehouse,
            settings.model,
            truth=truth,
            day=None if day is None else day.date(),
            progress=lambda log_day, share: move(f"{log_day} blocking", share),
        )
    if as_json:
        terminal.show_json(evaluation.to_dict())
    else:
        terminal.show_blocking(evaluation)
