"""Arguments and options that several commands have."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from warehouse.config import Config, load_config, with_models

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


def config_of(path: Path | None, models: str | None = None) -> Config:
    """Return the configuration of a file, with the models of an option in place of its own."""
    config = load_config(path)
    return config if models is None else with_models(config, models)
