"""What must be known to read a report, and cannot be seen in it."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

import polars as pl

from attribution.holdouts.lift_report import LIFT, what_holdouts_lack
from attribution.learned.effects import HazardBasis
from warehouse.attribution_config import LEARNED_MODELS, Model
from warehouse.database import Warehouse, statement

_MODEL: Final = "model"
_BASIS: Final = "basis"
_OF_ESTIMATES: Final = (Model.CALIBRATED_LAST_TOUCH, *LEARNED_MODELS)
_CREDIT: Final = "credit"
_MOST_DAYS: Final = 3  # of those without credit: their dates; of more the first and how many
# A report that reads none of these is not about what attribution writes.
_ATTRIBUTED: Final = (
    "credits", "valued_credits", "touch_credits", "campaign_money", "campaign_days", "conversions",
    "conversion_users", "best_users", "best_path_touches",
)  # fmt: skip
_READS: Final = re.compile(rf"\b(?:FROM|JOIN) (?:{'|'.join(_ATTRIBUTED)})\b")


def notes_on(
    warehouse: Warehouse, name: str, frame: pl.DataFrame, *, models: Sequence[str] | None = None
) -> list[str]:
    """Return what must be known to read a report: a line for each, none where nothing is amiss.

    Parameters
    ----------
    warehouse : Warehouse
        Where the report was run.
    name : str
        The report.
    frame : DataFrame
        What it says, as :func:`attribution.reports.report` returns it.
    models : sequence of str, optional
        The models that stand side by side in it.
    """
    told = [_of_causes(name, frame, models)]
    if name == LIFT:
        told.append(what_holdouts_lack(warehouse.query("attribution/arm_counts")))
    if models is not None:
        told.append(days_of_models(warehouse, models))
    elif {_MODEL, _CREDIT} <= set(frame.columns) and frame[_MODEL].drop_nulls().n_unique() > 1:
        told.append(days_of_models(warehouse, frame[_MODEL].drop_nulls().unique().to_list()))
    if name == LIFT or _READS.search(statement(f"reports/{name}")):
        told.append(unattributed_days(warehouse))
    return [line for line in told if line]


def _of_causes(name: str, frame: pl.DataFrame, models: Sequence[str] | None) -> str:
    """Return what the limits of a report leave out; empty if nothing, or if it has none."""
    bases = frame[_BASIS] if _BASIS in frame.columns else pl.Series(dtype=pl.String)
    if name == "incremental" and (bases == str(HazardBasis.NONE)).any():
        return (
            "basis none: no ads were withheld, or too few conversions followed them; the limits "
            "leave out what the model takes for granted then, and are narrower for that"
        )
    if name != "credit_intervals":
        return ""
    told = models or (frame[_MODEL].unique().to_list() if _MODEL in frame.columns else [])
    estimated = [one for one in _OF_ESTIMATES if told == ["all"] or one in told]
    if not estimated:
        return ""
    return (
        f"limits under {', '.join(estimated)} leave out the doubt of what the model was fitted on; "
        "report incremental has it, of that model"
    )


def unattributed_days(warehouse: Warehouse) -> str:
    """Return which log days are stored without their credit, and the mend; empty where none is.

    A run that was stopped after a day was read leaves the costs of that day beside no credit.

    Parameters
    ----------
    warehouse : Warehouse
        Where to look; opened for reading is enough.
    """
    days = warehouse.query("ledger/unattributed_days")
    if days.is_empty():
        return ""
    dates: list[date] = days["day"].to_list()
    named = ", ".join(map(str, dates))
    if len(dates) > _MOST_DAYS:
        named = f"{dates[0]}, {dates[1]} and {len(dates) - 2:,} more up to {dates[-1]}"
    one = len(dates) == 1
    span = f"--day {dates[0]}" if one else f"--from {dates[0]} --to {dates[-1]}"
    stages = ["attribute"] if days["matched"].all() else ["match", "attribute"]
    mend = " and ".join(f"adscribe {stage} --db {warehouse.path} {span}" for stage in stages)
    return (
        f"log {'day' if one else 'days'} {named} {'is' if one else 'are'} stored but not "
        f"attributed: their costs count here, their credit is missing or of before. Run {mend}"
    )


def days_of_models(warehouse: Warehouse, models: Sequence[str]) -> str:
    """Return which conversions each model has credited, empty where all have the same.

    A model that was switched on later knows fewer days: beside another its figures are smaller for
    that alone.

    Parameters
    ----------
    warehouse : Warehouse
        Where to look; opened for reading is enough.
    models : sequence of str
        The models that stand side by side, as given to :func:`attribution.reports.report`;
        ``["all"]`` for all.
    """
    days = warehouse.query("reports/model_days")
    if list(models) != ["all"]:
        days = days.filter(pl.col(_MODEL).is_in([model.strip() for model in models]))
    if days.select("first_day", "last_day", "days", "conversions").n_unique() < 2:
        return ""
    told = (
        f"{row[_MODEL]} {row['conversions']:,} conversions of {row['first_day']} to "
        f"{row['last_day']} ({row['days']:,} days)"
        for row in days.iter_rows(named=True)
    )
    return f"not the same conversions are credited under each: {'; '.join(told)}"
