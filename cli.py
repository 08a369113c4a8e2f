"""The command line: parse, call, print."""

import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

import attribution
import matching
import simulation
import terminal
from daily import DayRange, Stage, days_of_logs, open_run, run_days, stored_days
from warehouse import asked, erasure, importers, keys
from warehouse.config import Config, load_config, with_models
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
import_app = typer.Typer(
    no_args_is_help=True,
    help="Turn a public data set, or payloads sent to a platform, into a folder of logs.",
)
explain_app = typer.Typer(no_args_is_help=True, help="Tell why a signal or conversion is as it is.")
app.add_typer(import_app, name="import")
app.add_typer(explain_app, name="explain")

_DAY = ["%Y-%m-%d"]
Db = Annotated[Path, typer.Option("--db", help="The warehouse, a DuckDB file.")]
Logs = Annotated[Path, typer.Option("--logs", help="Folder of logs (see docs/logs.md).")]
Day = Annotated[
    datetime | None,
    typer.Option("--day", formats=_DAY, metavar="YYYY-MM-DD", help="Only this log day."),
]
From = Annotated[
    datetime | None,
    typer.Option("--from", formats=_DAY, metavar="YYYY-MM-DD", help="First log day."),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", formats=_DAY, metavar="YYYY-MM-DD", help="Last log day."),
]
Out = Annotated[Path, typer.Argument(help="Folder to write; must be empty or absent.")]
Payloads = Annotated[
    Path, typer.Argument(help="JSON lines, one request body or event each (plain, .gz or .zst).")
]
AdvertiserId = Annotated[
    str | None,
    typer.Option(help="Advertiser of all events; else the pixel or source that the payloads name."),
]
Start = Annotated[
    datetime,
    typer.Option(formats=_DAY, metavar="YYYY-MM-DD", show_default=False, help="First day."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="TOML file (see docs/configuration.md).")
]
Models = Annotated[
    str | None, typer.Option("--models", help="Attribution models, comma-separated, or all.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


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
) -> None:
    """Write the logs of an advertising world whose truth is known.

    Example: adscribe simulate world --users 20000 --days 7 --seed 1
    """
    with terminal.progress_bar() as progress:
        try:
            rows = simulation.simulate(
                out, users=users, days=days, seed=seed, start=start.date(), progress=progress
            )
        except FileExistsError as error:
            raise ConfigError(str(error)) from error
    terminal.show_written(out, rows)


@import_app.command()
def ipinyou(
    impressions: Annotated[Path, typer.Argument(help="Impression log (plain, .gz or .bz2).")],
    out: Out,
    clicks: Annotated[Path | None, typer.Option(help="Click log of the same days.")] = None,
    activity_share: Annotated[
        float, typer.Option(help="Earlier share of the time span that becomes activity.")
    ] = 0.5,
) -> None:
    """Import iPinYou's real-time-bidding log (season 2 or 3).

    The earlier part becomes activity and touchpoints, the later part signals; the user ids of the
    signals go to truth_match.parquet.

    Example: adscribe import ipinyou imp.20131021.txt.bz2 logs --clicks clk.20131021.txt.bz2
    """
    rows = importers.import_ipinyou(impressions, clicks, out, activity_share=activity_share)
    terminal.show_written(out, rows)


@import_app.command()
def criteo(
    journeys: Annotated[Path, typer.Argument(help="The published .tsv.gz, or the journeys .csv.")],
    out: Out,
    start: Start = datetime(2017, 1, 1),  # noqa: DTZ001 -- a date, typer knows no other
) -> None:
    """Import Criteo's log for attribution modelling, as published or as journeys.

    Example: adscribe import criteo criteo_attribution_dataset.tsv.gz logs
    """
    terminal.show_written(out, importers.import_criteo(journeys, out, start=start.date()))


@import_app.command()
def tiktok_events(payloads: Payloads, out: Out, advertiser_id: AdvertiserId = None) -> None:
    """Import payloads of TikTok's Events API (2.0 and older) as signals.

    Example: adscribe import tiktok-events payloads.jsonl.gz logs
    """
    rows = importers.import_tiktok_events(payloads, out, advertiser_id=advertiser_id)
    terminal.show_written(out, rows)


@import_app.command()
def meta_capi(payloads: Payloads, out: Out, advertiser_id: AdvertiserId = None) -> None:
    """Import payloads of Meta's Conversions API as signals.

    Example: adscribe import meta-capi payloads.jsonl logs --advertiser-id 1234567890
    """
    rows = importers.import_meta_capi(payloads, out, advertiser_id=advertiser_id)
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
    _do("ingest", db, logs, (Stage.INGEST,), _days(day, first, last), _config(config), as_json)


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
    _do("match", db, None, (Stage.MATCH,), _days(day, first, last), _config(config), as_json)


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
    settings = _config(config, models)
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
    settings = _config(config, models)
    _do("run", db, logs, tuple(Stage), _days(day, first, last), settings, as_json)


@app.command()
def forget(
    db: Db,
    user_id: Annotated[list[str] | None, typer.Option(help="User of the platform's logs.")] = None,
    email: Annotated[list[str] | None, typer.Option(help="Raw or hashed.")] = None,
    phone: Annotated[list[str] | None, typer.Option(help="Raw or hashed.")] = None,
    device_id: Annotated[list[str] | None, typer.Option()] = None,
    cookie_id: Annotated[list[str] | None, typer.Option()] = None,
    external_id: Annotated[list[str] | None, typer.Option(help="Needs --advertiser-id.")] = None,
    click_id: Annotated[list[str] | None, typer.Option()] = None,
    advertiser_id: Annotated[str | None, typer.Option(help="Of the external ids.")] = None,
    country: Annotated[str | None, typer.Option(help="Of national phone numbers.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would go; change nothing.")
    ] = False,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Forget users, by one or more of their ids; a value - is read from standard input.

    Example: adscribe forget --user-id u0000001 --db ads.duckdb
    """
    given = {
        "user_id": user_id, "email": email, "phone": phone, "device_id": device_id,
        "cookie_id": cookie_id, "external_id": external_id, "click_id": click_id,
    }  # fmt: skip
    _see_that_options_fit(given, advertiser_id, country)
    persons = asked.Asked.among(given, advertiser_id=advertiser_id, country=country)
    if dry_run:
        erased = erasure.preview(db, _config(config), persons)
    else:
        with erasure.opened(db, "forget", _config(config)) as (started, key):
            erased = erasure.forget(started, key, persons)
    if as_json:
        terminal.show_json(erased.to_dict())
    else:
        typer.echo(str(erased))


@app.command()
def rekey(
    db: Db,
    new_key_file: Annotated[Path, typer.Option(help="Where to write the new key; absent as yet.")],
    config: ConfigFile = None,
) -> None:
    """Put the warehouse under a new key, so that the old one tells nothing of it any more.

    Example: adscribe rekey --db ads.duckdb --new-key-file new.key
    """
    with erasure.opened(db, "rekey", _config(config)) as (started, key):
        typer.echo(keys.rekey(started, key, new_key_file))


@app.command()
def evaluate(
    db: Db,
    truth: Annotated[Path, typer.Option("--truth", help="Parquet with signal_id and user_id.")],
    as_json: AsJson = False,
) -> None:
    """Compare the matches with a known truth.

    Example: adscribe evaluate --db ads.duckdb --truth world/truth_match.parquet
    """
    with Warehouse.open(db, read_only=True) as warehouse:
        evaluation = matching.evaluate(warehouse, truth)
    if as_json:
        terminal.show_json(evaluation.to_dict())
    else:
        terminal.show_evaluation(evaluation)


@app.command()
def report(
    name: Annotated[str, typer.Argument(help="; ".join(attribution.report_names()))],
    db: Db,
    form: Annotated[
        attribution.Format | None,
        typer.Option("--format", help="How to write it; by default as --out ends, else a table."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of the screen.")] = None,
) -> None:
    """Print a report, or write it to a file.

    Example: adscribe report campaign_credit --db ads.duckdb --format csv --out credit.csv
    """
    form = form or attribution.format_of(out)
    if form is attribution.Format.TABLE and out is not None:
        raise ConfigError("--out needs a --format of csv, json, parquet or html.")
    if form is attribution.Format.PARQUET and out is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for the screen. Name a file with --out.")
    with Warehouse.open(db, read_only=True) as warehouse:
        frame = attribution.report(warehouse, name)
    title = name.replace("_", " ")
    if form is attribution.Format.TABLE:
        whole = f"adscribe report {name} --db {db} --format csv"
        terminal.show_frame(frame, title=title, whole=whole)
    elif out is None:
        sys.stdout.buffer.write(attribution.encode(frame, form, title=title))
    else:
        terminal.save(out, attribution.encode(frame, form, title=title))
        typer.echo(f"{len(frame):,} rows written to {out}")


@explain_app.command("match")
def explain_match(
    signal_id: Annotated[str, typer.Argument(help="A signal_id of the logs.")],
    db: Db,
    as_json: AsJson = False,
) -> None:
    """Tell why a signal was matched as it was.

    Example: adscribe explain match s0000000001 --db ads.duckdb
    """
    with Warehouse.open(db, read_only=True) as warehouse:
        explanation = matching.explain_signal(warehouse, signal_id)
    if as_json:
        terminal.show_json(explanation.to_dict())
    else:
        terminal.show_signal(explanation)


@explain_app.command("conversion")
def explain_conversion(
    conversion_id: Annotated[
        str, typer.Argument(help="A conversion_id of the table credits, or a signal_id of it.")
    ],
    db: Db,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Tell why a conversion was credited as it was: its signals, touches and credit.

    Example: adscribe explain conversion s0000000001 --db ads.duckdb
    """
    windows = _config(config).attribution
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


def _see_that_options_fit(
    given: Mapping[str, list[str] | None], advertiser_id: str | None, country: str | None
) -> None:
    """Raise an error of usage if nobody is named, or an option stands without its companion."""
    if not any(given.values()):
        *options, last = map(asked.option, given)
        raise typer.BadParameter(f"Name one person: give {', '.join(options)} or {last}.")
    if given["external_id"] and advertiser_id is None:
        raise typer.BadParameter("--external-id: whose customer? Name it with --advertiser-id.")
    if advertiser_id is not None and not given["external_id"]:
        raise typer.BadParameter("--advertiser-id goes with --external-id only.")
    if country is not None and not given["phone"]:
        raise typer.BadParameter("--country goes with --phone only.")


def _days(day: datetime | None, first: datetime | None, last: datetime | None) -> DayRange:
    if day is not None:
        if first is not None or last is not None:
            raise typer.BadParameter("--day stands alone, without --from and --to.")
        return DayRange(day.date(), day.date())
    return DayRange(first.date() if first else None, last.date() if last else None)


def _config(path: Path | None, models: str | None = None) -> Config:
    config = load_config(path)
    return config if models is None else with_models(config, models)


def main() -> None:
    """Run the command line; an error made on purpose is one line and exit code 1."""
    terminal.guard(app)


if __name__ == "__main__":
    main()
