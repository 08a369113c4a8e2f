"""``adscribe compare``: all models on one page of numbers."""

from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer

import terminal
from attribution.comparison import Comparison, compare
from commands.options import AsJson, Db
from warehouse.database import Warehouse

_WHOLE: Final = "--json"
_OF_LIFTS: Final = (
    "lift: conversions caused among those that holdouts count (docs/comparing_models.md); compare "
    "its proportions, not its size"
)


def compare_models(
    db: Db,
    models: Annotated[
        str | None,
        typer.Option(help="Models to compare, comma-separated, the reference first; all if none."),
    ] = None,
    truth: Annotated[
        Path | None,
        typer.Option(help="Parquet with caused_by and incremental, as simulate writes it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare attribution models: their credit, and what lifts and a truth say of it.

    Example: adscribe compare --db ads.duckdb --truth world/truth_credit.parquet
    """
    chosen = None if models is None or models == "all" else models.split(",")
    with Warehouse.open(db, read_only=True) as warehouse:
        comparison = compare(warehouse, models=chosen, truth=truth)
    if as_json:
        terminal.show_json(comparison.to_dict())
    else:
        _show(comparison)


def _show(comparison: Comparison) -> None:
    reference = comparison.reference
    models = comparison.models.with_columns(
        pl.col("touch", "organic", "unmatched", "rejected", "value").round(1),
        pl.col("share_error", "rank_correlation").round(3),
    )
    title = f"by model; share error and rank correlation beside {reference}"
    _show_frame(models, title, comparison.note)
    has_lifts = not comparison.lifts.is_empty()
    campaigns = comparison.beside_reference().with_columns(pl.col(pl.Float64).round(1))
    columns = [name for name in campaigns.columns if has_lifts or not name.startswith("lift")]
    title = f"by campaign; reference: {reference}, with its 90% interval"
    _show_frame(campaigns.select(columns), title, _OF_LIFTS if has_lifts else "")
    if has_lifts:
        lifts = comparison.lifts.with_columns(pl.col(pl.Float64).round(3))
        _show_frame(lifts, "agreement with the lifts, each model's credit brought to their size")
    if not comparison.predictions.is_empty():
        title = "forecasts of the newest log day; gain: over one rate for all"
        _show_frame(comparison.predictions.with_columns(pl.col(pl.Float64).round(5)), title)
    if not comparison.truth.is_empty():
        errors = comparison.truth.with_columns(pl.col(pl.Float64).round(3))
        _show_frame(errors, "errors against the truth")


def _show_frame(frame: pl.DataFrame, title: str, note: str = "") -> None:
    terminal.show_frame(frame, title=title, whole=_WHOLE, note=note)
