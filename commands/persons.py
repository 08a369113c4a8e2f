"""``adscribe forget`` and ``adscribe rekey``: what tells of persons, out of the warehouse."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

import terminal
from commands.options import AsJson, ConfigFile, Db, config_of
from warehouse import asked, erasure
from warehouse.rekeying import rekey as put_under_new_key


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
        erased = erasure.preview(db, config_of(config), persons)
    else:
        with erasure.opened(db, "forget", config_of(config)) as (started, key):
            erased = erasure.forget(started, key, persons)
    if as_json:
        terminal.show_json(erased.to_dict())
    else:
        typer.echo(str(erased))


def rekey(
    db: Db,
    new_key_file: Annotated[Path, typer.Option(help="Where to write the new key; absent as yet.")],
    config: ConfigFile = None,
) -> None:
    """Put the warehouse under a new key, so that the old one tells nothing of it any more.

    Example: adscribe rekey --db ads.duckdb --new-key-file new.key
    """
    with erasure.opened(db, "rekey", config_of(config)) as (started, key):
        typer.echo(put_under_new_key(started, key, new_key_file))


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
