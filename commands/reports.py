"""``adscribe report``: one of the SQL reports, on the terminal or in a file."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

import attribution
import terminal
from attribution.report_filters import read_filters
from attribution.report_notes import notes_on
from commands.options import Db
from warehouse.database import Warehouse
from warehouse.errors import ConfigError


def print_report(
    name: Annotated[str, typer.Argument(help="; ".join(attribution.report_names()))],
    db: Db,
    form: Annotated[
        attribution.Format | None,
        typer.Option("--format", help="How to write it; by default as --out ends, else a table."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="File to write instead of the screen.")] = None,
    models: Annotated[
        str | None,
        typer.Option(help="Attribution models to put side by side, comma-separated, or all."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN=VALUE",
            help="Only rows with this value in the column (nothing: empty). May be given again: "
            "other values of a column add rows, other columns take rows away.",
        ),
    ] = None,
) -> None:
    """Print a report, or write it to a file.

    Example: adscribe report campaign_credit --db ads.duckdb --format csv --out credit.csv

    Example: adscribe report credit_by_campaign --db ads.duckdb --models last_touch,linear

    Example: adscribe report credit_intervals --db ads.duckdb --only dimension=campaign
    """
    form = form or attribution.format_of(out)
    if form is attribution.Format.TABLE and out is not None:
        raise ConfigError("--out needs a --format of csv, json, parquet or html.")
    if form is attribution.Format.PARQUET and out is None and sys.stdout.isatty():
        raise ConfigError("Parquet is not for the screen. Name a file with --out.")
    chosen = None if models is None else models.split(",")
    picked = read_filters(only or [])
    with Warehouse.open(db, read_only=True) as warehouse:
        frame = attribution.report(warehouse, name, models=chosen, only=picked)
        notes = notes_on(warehouse, name, frame, models=chosen)
    title = name.replace("_", " ")
    if form is attribution.Format.TABLE:
        words = ["adscribe", "report", name, "--db", str(db)]
        words += [] if models is None else ["--models", models]
        words += [word for pair in only or [] for word in ("--only", pair)]
        whole = f"{shlex.join(words)} --format csv"
        terminal.show_frame(frame, title=title, whole=whole, note="\n".join(notes))
        return
    for note in notes:
        terminal.show_note(note)
    content = attribution.encode(frame, form, title=title)
    if out is None:
        sys.stdout.buffer.write(content)
    else:
        terminal.save(out, content)
        typer.echo(f"{len(frame):,} rows written to {out}")
