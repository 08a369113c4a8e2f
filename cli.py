"""The command line: parse, call, print."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

import attribution
import matching
import simulation
import terminal
from commands import comparison, evaluations, imports, persons, reports, training
from commands.options import (
    AsJson,
    ConfigFile,
    Day,
    Db,
    From,
    Logs,
    Models,
    Out,
    Start,
    To,
    config_of,
)
from daily import DayRange, Stage, days_of_logs, open_run, run_days, stored_days
from simulation import WorldConfig
from warehouse.config import Config
from warehouse.database import Warehouse
from warehouse.errors import ConfigError
from warehouse.logs import LogFolder
from warehouse.runs import version

app = typer.Typer(
    name="adscribe",
    help="Link ad and conversion signals to users, and conversions to the touchpoints that earned "
    "them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
explain_app = typer.Typer(no_args_is_help=True, help="Tell why a signal or conversion is as it is.")
app.add_typer(evaluations.app, name="evaluate")
app.add_typer(imports.app, name="import")
app.add_typer(explain_app, name="explain")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(version())
        raise typer.Exit


@app.callback()
def _adscribe(
    _show_version: Annotated[
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_print_version, help="Print the version."
        ),
    ] = False,
) -> None:
    pass


@app.command()
def simulate(
    out: Out,
    users: Annotated[int, typer.Option(min=1, help="Users of the platform.")] = 20_000,
    days: Annotated[int, typer.Option(min=1, help="Days of logs.")] = 7,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same world.")] = 1,
    start: Start = datetime(2026, 1, 5),  # noqa: DTZ001 -- a date, typer knows no other
    holdouts: Annotated[
        float, typer.Option(min=0, max=1, help="Share of users held out of a campaign; 0: nobody.")
    ] = WorldConfig().holdout_share,
) -> None:
    """Write the logs of an advertising world whose truth is known.

    Example: adscribe simulate world --users 20000 --days 7 --seed 1
    """
    world = WorldConfig(holdout_share=holdouts)
    with terminal.progress_bar() as progress:
        try:
            rows = simulation.simulate(
                out, users=users, days=days, seed=seed, start=start.date(), config=world,
                progress=progress,
            )  # fmt: skip
        except FileExistsError as error:
            raise ConfigError(str(error)) from error
    terminal.show_written(out, rows)


@app.command()
def ingest(
    logs: Logs,
    db: Db,
    day: Day = None,
    first: From = None,
    last: To = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Read logs into the warehouse; refused rows go to rejected_rows.

    Example: adscribe ingest --logs world --db ads.duckdb --day 2026-01-05
    """
    _do("ingest", db, logs, (Stage.INGEST,), _days(day, first, last), config_of(config), as_json)


@app.command()
def match(
    db: Db,
    day: Day = None,
    first: From = None,
    last: To = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Find the users of signals that have been ingested.

    Example: adscribe match --db ads.duckdb --day 2026-01-05
    """
    _do("match", db, None, (Stage.MATCH,), _days(day, first, last), config_of(config), as_json)


@app.command()
def attribute(
    db: Db,
    day: Day = None,
    first: From = None,
    last: To = None,
    config: ConfigFile = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Credit conversions whose signals have been matched.

    Example: adscribe attribute --db ads.duckdb --day 2026-01-05
    """
    settings = config_of(config, models)
    _do("attribute", db, None, (Stage.ATTRIBUTE,), _days(day, first, last), settings, as_json)


@app.command()
def run(
    logs: Logs,
    db: Db,
    day: Day = None,
    first: From = None,
    last: To = None,
    config: ConfigFile = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Do the whole daily run: ingest, match and attribute, for every day of the logs or some.

    Example: adscribe run --logs world --db ads.duckdb
    """
    settings = config_of(config, models)
    _do("run", db, logs, tuple(Stage), _days(day, first, last), settings, as_json)


app.command()(training.train)
app.command()(persons.forget)
app.command()(persons.rekey)
app.command("compare")(comparison.compare_models)
app.command("report")(reports.print_report)


@explain_app.command("match")
def explain_match(
    signal_id: Annotated[str, typer.Argument(help="A signal_id of the logs.")],
    db: Db,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a signal was matched as it was: its identifiers, or the candidates of the model.

    Example: adscribe explain match s0000000001 --db ads.duckdb
    """
    rules = config_of(config)
    with Warehouse.open(db, read_only=True, config=rules.warehouse) as warehouse:
        explanation = matching.explain_signal(warehouse, signal_id, rules.model)
    if as_json:
        terminal.show_json(explanation.to_dict())
    else:
        terminal.show_signal(explanation)


@explain_app.command("conversion")
def explain_conversion(
    conversion_id: Annotated[
        str,
        typer.Argument(
            help="A conversion_id of the table credits, a signal_id of it, or its order id."
        ),
    ],
    db: Db,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a conversion was credited as it was: its signals, touches and credit.

    Example: adscribe explain conversion s0000000001 --db ads.duckdb

    Example: adscribe explain conversion o-6b259f63297f85 --db ads.duckdb --json
    """
    windows = config_of(config).attribution
    with Warehouse.open(db, read_only=True) as warehouse:
        explanation = attribution.explain_conversion(warehouse, conversion_id, windows)
    if as_json:
        terminal.show_json(explanation.to_dict())
    else:
        terminal.show_conversion(explanation)


def _do(
    command: str,
    db: Path,
    logs: Path | None,
    stages: tuple[Stage, ...],
    days: DayRange,
    config: Config,
    as_json: bool,
) -> None:
    folder = None if logs is None else LogFolder.find(logs)
    wanted = None if folder is None else days_of_logs(folder, days, config)
    with (
        terminal.progress_bar() as move,
        open_run(db, command, config, new=folder is not None) as (started, key),
    ):

        def progress(day: date | None, stage: Stage, done: int, total: int) -> None:
            move(f"{day or 'all days'} {stage}", done / total)

        done = wanted or stored_days(started.warehouse, days)
        run_days(started, key, done, logs=folder, stages=stages, progress=progress)
        totals = attribution.report(started.warehouse, "daily_totals")
        run_id = started.run_id
    totals = totals.filter(totals["log_day"].is_in(done))
    if as_json:
        terminal.show_json({"run_id": run_id, "days": totals.to_dicts()})
    else:
        title, whole = (
            f"{command}: {done[0]} to {done[-1]}",
            f"adscribe report daily_totals --db {db}",
        )
        terminal.show_frame(totals, title=title, whole=f"{whole} --format csv")


def _days(day: datetime | None, first: datetime | None, last: datetime | None) -> DayRange:
    if day is not None:
        if first is not None or last is not None:
            raise typer.BadParameter("--day stands alone, without --from and --to.")
        return DayRange(day.date(), day.date())
    return DayRange(first.date() if first else None, last.date() if last else None)


def main() -> None:
    """Run the command line; an error made on purpose is one line and exit code 1."""
    terminal.guard(app)


if __name__ == "__main__":
    main()
