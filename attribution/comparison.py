"""All models of a warehouse on one page: what each credits, and what lifts or a truth say of it.

Models are compared with each other, with the lifts of the holdouts, and, in a simulated world, with
the truth. docs/comparing_models.md tells what each figure means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from attribution.credit_errors import (
    rank_correlation,
    share_error,
    total_error,
    weighted_error,
)
from attribution.holdouts.arms import COUNTS
from attribution.holdouts.lift_report import SHRUNK, told_lifts, what_holdouts_lack
from attribution.learned.predictions import foretold
from attribution.lift_agreement import agreement
from attribution.report_notes import days_of_models, unattributed_days
from warehouse.attribution_config import Model
from warehouse.database import Warehouse
from warehouse.errors import InputFileError, InsufficientDataError, UnknownNameError, nearest

_FIRST: Final = (  # the first that is there leads
    Model.INCREMENTAL, Model.CALIBRATED_LAST_TOUCH, Model.LAST_TOUCH,
)  # fmt: skip
OUTCOMES: Final = ("touch", "organic", "unmatched", "rejected")
_TRUTH: Final = {"caused_by": pl.String, "incremental": pl.Float64}
_KEY: Final = "campaign_id"
_LIFTS: Final = {
    _KEY: pl.String, "incremental": pl.Float64, "error": pl.Float64, "low_90": pl.Float64,
    "high_90": pl.Float64, **dict.fromkeys(SHRUNK, pl.Float64),
}  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Models side by side.

    Attributes
    ----------
    reference : str
        The first model, which the others are compared with.
    models : DataFrame
        model; touch, organic, unmatched, rejected: conversions by what earned them; value of what
        touches earned, null where it is of several currencies; share_error and rank_correlation of
        credit by campaign beside the reference.
    campaigns : DataFrame
        campaign_id; shrunk, shrunk_low, shrunk_high: conversions that the holdouts say it caused,
        drawn towards other campaigns, with a 90% interval, as in the report lift; and a column of
        credit for each model.
    intervals : DataFrame
        campaign_id, model, error, low, high: the standard error of that credit and its 90% interval
        (docs/reports.md, credit_intervals), where the model gives the campaign any.
    lifts : DataFrame
        model and the figures of :func:`attribution.lift_agreement.agreement`: how far credit agrees
        with the lifts. Without rows where nobody is held out.
    lifts_note : str
        Why there are no lifts, or too few conversions for models to rest on them; empty if neither.
    truth : DataFrame
        model, total_error, weighted_error, share_error, rank_correlation. Without rows where no
        truth is given.
    predictions : DataFrame
        model, fitted_until, day and figures of what it foretold of that day: of models that do.
    note : str
        What is to be known before models are compared; empty if nothing.
    """

    reference: str
    models: pl.DataFrame
    campaigns: pl.DataFrame
    intervals: pl.DataFrame
    lifts: pl.DataFrame
    lifts_note: str
    truth: pl.DataFrame
    predictions: pl.DataFrame
    note: str

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values; None for what is no finite number."""
        plain = {
            name: _finite(told).to_dicts() if isinstance(told, pl.DataFrame) else told
            for name, told in vars(self).items()
        }
        del plain["intervals"]
        shown, intervals = _finite(self.campaigns), _finite(self.intervals)
        campaigns = {row[_KEY]: _nested(row) for row in shown.iter_rows(named=True)}
        for row in intervals.iter_rows(named=True):
            known = campaigns[row.pop(_KEY)]["intervals"]
            known[row.pop("model")] = row
        plain["campaigns"] = list(campaigns.values())
        return plain

    def reference_intervals(self) -> pl.DataFrame:
        """Return by campaign the shrunk lift and the reference's credit, each with its interval."""
        own = self.intervals.filter(pl.col("model") == self.reference).select(_KEY, "low", "high")
        named = self.campaigns.select(_KEY, *SHRUNK, self.reference)
        return named.join(own, on=_KEY, how="left", maintain_order="left")


def compare(
    warehouse: Warehouse, *, models: Sequence[str] | None = None, truth: Path | None = None
) -> Comparison:
    """Compare the models under which conversions are credited.

    Parameters
    ----------
    warehouse : Warehouse
        Opened for reading is enough.
    models : sequence of str, optional
        Those to compare, the reference first; all when omitted.
    truth : Path, optional
        A Parquet file with what each campaign caused: caused_by and incremental.

    Raises
    ------
    InsufficientDataError
        If nothing is credited.
    UnknownNameError
        If there is no such model, or nothing is credited under it.
    InputFileError
        If the truth cannot be read, lacks a column or has a campaign that caused less than nothing.
    """
    told = warehouse.query("attribution/compared_credits")
    chosen = _chosen(warehouse.path, sorted(told["model"].unique()), models)
    told = told.filter(pl.col("model").is_in(chosen))
    true = None if truth is None else _read_truth(truth)
    counts = warehouse.query("attribution/arm_counts")
    lifts = _lifts(counts)
    intervals = warehouse.query("attribution/compared_intervals")
    credit = _side_by_side(told, chosen)
    given = {name: credit.select(_KEY, credit=name) for name in chosen}
    return Comparison(
        reference=chosen[0],
        models=_by_model(told, credit, chosen),
        campaigns=_by_campaign(credit, lifts),
        intervals=intervals.filter(pl.col("model").is_in(chosen)),
        lifts=agreement(given, lifts),
        lifts_note=what_holdouts_lack(counts),
        truth=_errors(given, true),
        predictions=foretold(warehouse, chosen),
        note="\n".join(
            filter(None, (unattributed_days(warehouse), days_of_models(warehouse, chosen)))
        ),
    )


def _chosen(path: Path, stored: list[str], models: Sequence[str] | None) -> list[str]:
    """Return the models to compare, the reference first."""
    if not stored:
        raise InsufficientDataError(
            f"{path}: no credit to compare. Make some with: adscribe run --logs DIR --db {path}"
        )
    if models is None:
        leading = [str(model) for model in _FIRST if model in stored][:1]
        return leading + [model for model in stored if model not in leading]
    chosen = list(dict.fromkeys(model.strip() for model in models))
    known = {*stored, *map(str, Model)}
    for model in chosen:
        if model not in known:
            raise UnknownNameError(f'no model "{model}": {nearest(model, known)}')
        if model not in stored:
            raise UnknownNameError(
                f"{path}: nothing is credited under {model}, only under {', '.join(stored)}. "
                f"Credit its days with: adscribe attribute --models {model}"
            )
    return chosen


def _read_truth(path: Path) -> pl.DataFrame:
    """Read what each campaign caused: campaign_id, true."""
    if path.is_dir():
        raise InputFileError(f"{path}: a folder. Name the truth_credit.parquet in it.")
    try:
        frame = pl.read_parquet(path, glob=False)
        told = frame.select(pl.col(name).cast(dtype) for name, dtype in _TRUTH.items())
        if not frame["incremental"].dtype.is_numeric():
            raise pl.exceptions.InvalidOperationError(str(frame["incremental"].dtype))
    except OSError as error:
        raise InputFileError(
            f"{path}: {error.strerror or 'cannot be read'}. Name the file."
        ) from error
    except pl.exceptions.ColumnNotFoundError as error:
        raise InputFileError(
            f"{path}: needs the columns caused_by and incremental; it has "
            f"{', '.join(frame.columns)}. Name a truth_credit.parquet."
        ) from error
    except pl.exceptions.InvalidOperationError as error:
        raise InputFileError(
            f"{path}: column incremental is no number. Give conversions by campaign."
        ) from error
    except pl.exceptions.PolarsError as error:
        raise InputFileError(f"{path}: not a whole Parquet file. Write it again.") from error
    told = told.drop_nulls("caused_by")
    caused = told.group_by("caused_by").agg(pl.col("incremental").sum())
    below = told.filter(pl.col("incremental") < 0)["caused_by"].sort().to_list()
    if below:
        raise InputFileError(
            f"{path}: column incremental is below 0 for {below[0]}. Give what campaigns caused."
        )
    if not 0 < caused["incremental"].sum() < np.inf:
        raise InputFileError(
            f"{path}: column incremental has no conversions, or some that are no numbers. "
            "Give what campaigns caused."
        )
    return caused.select(pl.col("caused_by").alias(_KEY), true="incremental").sort(_KEY)


def _lifts(counts: pl.DataFrame) -> pl.DataFrame:
    """Return the lift of each campaign, without rows where nobody is held out."""
    by_campaign = counts.group_by(_KEY, name=pl.col(_KEY)).agg(pl.col(COUNTS).sum())
    try:
        lifts = told_lifts(by_campaign, by="campaign")
    except InsufficientDataError:
        return pl.DataFrame(schema=_LIFTS)
    return lifts.select(
        pl.col("name").alias(_KEY), "incremental", "low_90", "high_90", *SHRUNK,
        error="pooled_error",
    ).select(*_LIFTS)  # fmt: skip


def _side_by_side(told: pl.DataFrame, models: list[str]) -> pl.DataFrame:
    """Return credit by campaign, a column for each model, 0 where it gives none."""
    of_touches = told.filter(outcome="touch").group_by(_KEY, "model").agg(pl.col("credit").sum())
    beside = of_touches.select(_KEY).unique().sort(_KEY)
    for model in models:
        own = of_touches.filter(pl.col("model") == model).select(
            _KEY, pl.col("credit").alias(model)
        )
        beside = beside.join(own, on=_KEY, how="left", maintain_order="left")
    return beside.with_columns(pl.col(models).fill_null(0.0))


def _by_model(told: pl.DataFrame, credit: pl.DataFrame, models: list[str]) -> pl.DataFrame:
    reference = credit[models[0]].to_numpy()
    rows = []
    for model in models:
        own, column = told.filter(pl.col("model") == model), credit[model].to_numpy()
        sums = {name: float(own.filter(outcome=name)["credit"].sum()) for name in OUTCOMES}
        rows.append(
            {
                "model": model, **sums, "value": _value(own.filter(outcome="touch")),
                "share_error": share_error(column, reference),
                "rank_correlation": rank_correlation(column, reference),
            }
        )  # fmt: skip
    schema = {"model": pl.String, **dict.fromkeys(rows[0].keys() - {"model"}, pl.Float64)}
    return _finite(pl.DataFrame(rows, schema_overrides=schema))


def _value(rows: pl.DataFrame) -> float | None:
    """Return the value of credit in one currency; null where it is of several."""
    if rows["value_in_reports"].null_count() == 0:
        return float(rows["value_in_reports"].sum())
    valued = rows.filter(pl.col("value") != 0)
    return float(valued["value"].sum()) if valued["currency"].n_unique() < 2 else None


def _by_campaign(credit: pl.DataFrame, lifts: pl.DataFrame) -> pl.DataFrame:
    joined = credit.join(lifts.select(_KEY, *SHRUNK), on=_KEY, how="full", coalesce=True)
    models = [name for name in credit.columns if name != _KEY]
    return joined.select(_KEY, *SHRUNK, pl.col(models).fill_null(0.0)).sort(_KEY)


def _errors(given: dict[str, pl.DataFrame], true: pl.DataFrame | None) -> pl.DataFrame:
    """Return by model how far credit lies from the truth."""
    figures = {
        "total_error": total_error, "weighted_error": weighted_error, "share_error": share_error,
        "rank_correlation": rank_correlation,
    }  # fmt: skip
    rows = []
    for model, credit in given.items():
        if true is None:
            break
        both = credit.join(true, on=_KEY, how="full", coalesce=True).fill_null(0.0).sort(_KEY)
        earned, caused = both["credit"].to_numpy(), both["true"].to_numpy()
        rows.append((model, *(figure(earned, caused) for figure in figures.values())))
    schema = {"model": pl.String, **dict.fromkeys(figures, pl.Float64)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return _finite(frame)


def _finite(frame: pl.DataFrame) -> pl.DataFrame:
    """Return it with null for what is no finite number: JSON has no other word for it."""
    figures = pl.col(pl.Float64)
    return frame.with_columns(pl.when(figures.is_finite()).then(figures))


def _nested(row: dict[str, Any]) -> dict[str, Any]:
    """Return a campaign's row with the credit of models apart from its lift."""
    own = {name: row.pop(name) for name in (_KEY, *SHRUNK)}
    return {**own, "credit": row, "intervals": {}}
