"""``adscribe compare``: all models on one page of numbers."""

from pathlib import Path
from typing import Annotated, Final

import polars as pl
import typer

import terminal
from attribution.comparison import OUTCOMES, Comparison, compare
from attribution.lift_agreement import clearly_behind
from commands.options import AsJson, Db
from warehouse.database import Warehouse

_WHOLE: Final = "--json"
_OF_LIFTS: Final = (
    "shrunk: conversions caused among those that holdouts count, as in report lift "
    "(docs/comparing_models.md); compare its proportions, not its size"
)
_OF_INTERVALS: Final = "low, high: without the doubt of causes; report incremental has it"


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
    _show_campaigns(comparison)
    if not comparison.lifts.is_empty():
        lifts = comparison.lifts.with_columns(pl.col(pl.Float64).round(3))
        title = "agreement with the lifts, each model's credit brought to their size"
        _show_frame(lifts, title, _told_apart(comparison.lifts))
    if not comparison.predictions.is_empty():
        title = "forecasts of the newest log day; gain: over one rate for all"
        _show_frame(comparison.predictions.with_columns(pl.col(pl.Float64).round(5)), title)
    if not comparison.truth.is_empty():
        errors = comparison.truth.with_columns(pl.col(pl.Float64).round(3))
        _show_frame(errors, "errors against the truth", _unmatched(comparison))


def _show_campaigns(comparison: Comparison) -> None:
    """Show the reference with its interval, beside what holdouts say, and then all models."""
    reference = comparison.reference
    has_lifts = comparison.campaigns["shrunk"].is_not_null().any()
    intervals = comparison.reference_intervals().with_columns(pl.col(pl.Float64).round(1))
    columns = [name for name in intervals.columns if has_lifts or not name.startswith("shrunk")]
    title = f"by campaign; reference: {reference}, with its 90% interval (low, high)"
    notes = (_OF_INTERVALS, _OF_LIFTS if has_lifts else "", comparison.lifts_note)
    _show_frame(intervals.select(columns), title, "\n".join(filter(None, notes)))
    names = comparison.models["model"].to_list()
    if len(names) > 1:
        credit = comparison.campaigns.select("campaign_id", *names)
        _show_frame(credit.with_columns(pl.col(pl.Float64).round(1)), "credit by campaign")


def _unmatched(comparison: Comparison) -> str:
    """Return how many conversions no model could credit, by the reference; empty if none."""
    told = comparison.models.row(0, named=True)
    unmatched, conversions = told["unmatched"], sum(told[outcome] for outcome in OUTCOMES)
    if round(unmatched) < 1:
        return ""
    return (
        f"{unmatched:,.0f} of {conversions:,.0f} conversions are unmatched and earn no campaign "
        "anything: each total lacks what was caused of them, which hides what a model overcounts; "
        "judge by share error"
    )


def _told_apart(lifts: pl.DataFrame) -> str:
    """Return which models the lifts tell apart from the one that agrees best, if any."""
    if len(lifts) < 2:
        return ""
    enough = clearly_behind(len(lifts))
    best = lifts.filter(pl.col("behind").is_null())["model"].to_list()
    worse = lifts.filter(pl.col("behind") > enough)["model"].to_list()
    others = [name for name in lifts["model"] if name not in (*best, *worse)]
    told = []
    if worse:
        told.append(f"{', '.join(worse)} agree less than {best[0]} by more than chance allows")
    if others:
        told.append(
            f"the lifts are too uncertain to tell {', '.join(others)} from {best[0]} (behind: "
            f"less than {enough:.2f} standard errors)"
        )
    return "; ".join(told)


def _show_frame(frame: pl.DataFrame, title: str, note: str = "") -> None:
    terminal.show_frame(frame, title=title, whole=_WHOLE, note=note)
