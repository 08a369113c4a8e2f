"""``adscribe import``: public logs, and payloads sent to platforms, as folders of logs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

import terminal
from commands.options import Out, Start
from warehouse import importers

app = typer.Typer(
    no_args_is_help=True,
    help="Turn a public data set, or payloads sent to a platform, into a folder of logs.",
)
Payloads = Annotated[
    Path, typer.Argument(help="JSON lines, one request body or event each (plain, .gz or .zst).")
]
AdvertiserId = Annotated[
    str | None,
    typer.Option(help="Advertiser of all events; else the pixel or source that the payloads name."),
]


@app.command()
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


@app.command()
def criteo(
    journeys: Annotated[Path, typer.Argument(help="The published .tsv.gz, or the journeys .csv.")],
    out: Out,
    start: Start = datetime(2017, 1, 1),  # noqa: DTZ001 -- a date, typer knows no other
) -> None:
    """Import Criteo's log for attribution modelling, as published or as journeys.

    Example: adscribe import criteo criteo_attribution_dataset.tsv.gz logs
    """
    terminal.show_written(out, importers.import_criteo(journeys, out, start=start.date()))


@app.command()
def tiktok_events(payloads: Payloads, out: Out, advertiser_id: AdvertiserId = None) -> None:
    """Import payloads of TikTok's Events API (2.0 and older) as signals.

    Example: adscribe import tiktok-events payloads.jsonl.gz logs
    """
    rows = importers.import_tiktok_events(payloads, out, advertiser_id=advertiser_id)
    terminal.show_written(out, rows)


@app.command()
def meta_capi(payloads: Payloads, out: Out, advertiser_id: AdvertiserId = None) -> None:
    """Import payloads of Meta's Conversions API as signals.

    Example: adscribe import meta-capi payloads.jsonl logs --advertiser-id 1234567890
    """
    rows = importers.import_meta_capi(payloads, out, advertiser_id=advertiser_id)
    terminal.show_written(out, rows)
