"""The SQL reports: run by name, models put side by side, written in any format."""

import html
import io
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import polars as pl

from attribution.holdouts.lift_report import LIFT, lift_report
from attribution.report_filters import picked_rows
from warehouse.attribution_config import Model
from warehouse.database import Warehouse, statement, statements
from warehouse.errors import UnknownNameError, nearest

_MODEL: Final = "model"
_BASIS: Final = "basis"
_CAMPAIGN: Final = "campaign_id"
_VERSION: Final = "model_version"
_PLACE: Final = "place"
_ORDER: Final = re.compile(r"^ORDER BY (.+)\Z", re.MULTILINE | re.DOTALL)
# Columns of reports by model that are the same under each.
_OF_NO_MODEL: Final = (
    "report_currency", "newest_log_day", "cost", "cost_first_told", "cost_in_reports",
)  # fmt: skip

_PAGE: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1b1b1b; }}
table {{ border-collapse: collapse; }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid #ddd; text-align: left; }}
th {{ position: sticky; top: 0; background: #f3f4f6; }}
td.number {{ text-align: right; font-variant-numeric: tabular-nums; }}
</style></head><body><h1>{title}</h1><table><thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody></table></body></html>
"""


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    HTML = "html"


def format_of(path: Path | None) -> Format:
    """Return the format that a file's ending stands for; the table where it stands for none."""
    ending = "" if path is None else path.suffix.lower().lstrip(".")
    return Format(ending) if ending in list(Format) else Format.TABLE


def report_names() -> list[str]:
    """Return the names of the reports."""
    return sorted([*statements("reports"), LIFT])


def report(
    warehouse: Warehouse,
    name: str,
    *,
    models: Sequence[str] | None = None,
    only: Mapping[str, Sequence[str]] | None = None,
) -> pl.DataFrame:
    """Run one report, and put models beside each other where they are named.

    With models, what a row is of stays as it is; each other column of a report by model becomes
    one for each model, such as ``credit_last_touch`` and ``credit_linear``, null where the report
    has no such row of the model.

    Parameters
    ----------
    warehouse : Warehouse
        Where to run it; opened for reading is enough.
    name : str
        One of :func:`report_names`; each is a file of sql/reports, but for ``lift``, which is a
        test of counts (:func:`attribution.holdouts.lift_report.lift_report`).
    models : sequence of str, optional
        The models to put side by side, in this order; ``["all"]`` for all that the report tells of.
        The report as it is when omitted.
    only : mapping of str to sequence of str, optional
        Only rows in which each of these columns has one of these texts
        (:func:`attribution.report_filters.picked_rows`); all when omitted. A column that models
        change is looked for once they stand side by side.

    Raises
    ------
    UnknownNameError
        If there is no such report, model or column, or, with models, if the report is not by model
        or tells nothing of one of them.
    """
    if name not in report_names():
        raise UnknownNameError(f'no report "{name}": {nearest(name, report_names())}')
    named = [] if models is None or list(models) == ["all"] else _known(models)
    if name == LIFT:
        whole = lift_report(warehouse)
    else:
        whole = _with_basis(warehouse, warehouse.query(f"reports/{name}"))
    frame = picked_rows(whole, only or {})
    if models is not None:
        if _MODEL not in whole.columns:
            raise UnknownNameError(f'the report "{name}" is not by model. Leave --models out.')
        told = sorted(frame.get_column(_MODEL).drop_nulls().unique())
        _refuse_absent(warehouse, name, named, whole)
        frame = picked_rows(_side_by_side(frame, _keys(name, frame), named or told), only or {})
    known = {*whole.columns, *frame.columns}
    for column in only or {}:
        if column not in known:
            raise UnknownNameError(
                f'the report "{name}" has no column "{column}": {nearest(column, known)}'
            )
    return frame


def _refuse_absent(warehouse: Warehouse, name: str, named: list[str], whole: pl.DataFrame) -> None:
    """Raise an error for the first named model that a report tells nothing of."""
    told = sorted(whole.get_column(_MODEL).drop_nulls().unique())
    absent = [model for model in named if model not in told]
    if absent and told:  # a warehouse without any credit has no model to miss
        raise UnknownNameError(
            f'{warehouse.path}: the report "{name}" tells nothing of {absent[0]}, only of '
            f"{', '.join(told)}. Attribute its days with: adscribe attribute --models {absent[0]}"
        )


def _with_basis(warehouse: Warehouse, frame: pl.DataFrame) -> pl.DataFrame:
    """Say beside models that tell causes apart what they do so by."""
    if _MODEL not in frame.columns or _VERSION in frame.columns:  # a version has a basis of its own
        return frame
    by_campaign = _CAMPAIGN in frame.columns
    keys = [_MODEL, _CAMPAIGN] if by_campaign else [_MODEL]
    told = (
        warehouse.query("attribution/basis_of_credit")
        .filter(pl.col(_CAMPAIGN).is_not_null() == by_campaign)
        .group_by(keys)
        .agg(pl.col(_BASIS).sort().str.join(" + "))
    )
    if not frame[_MODEL].is_in(told[_MODEL].implode()).any():
        return frame
    basis = frame.select(keys).join(told, on=keys, how="left", maintain_order="left")[_BASIS]
    return frame.insert_column(frame.columns.index(_MODEL) + 1, basis)


def _known(models: Sequence[str]) -> list[str]:
    chosen = list(dict.fromkeys(model.strip() for model in models))
    known = [str(model) for model in Model]
    for model in chosen:
        if model not in known:
            raise UnknownNameError(f'no model "{model}": {nearest(model, known)}')
    return chosen


def _keys(name: str, frame: pl.DataFrame) -> list[str]:
    """Return the columns that say what a row is of: the order of a report is a total one."""
    order = _ORDER.search(statement(f"reports/{name}").rstrip())
    terms = order[1].split(",") if order else []
    ordered = {term.split()[0].rpartition(".")[2] for term in terms} - {_MODEL}
    return [column for column in frame.columns if column in ordered]


def _side_by_side(frame: pl.DataFrame, keys: list[str], models: list[str]) -> pl.DataFrame:
    if not keys:  # one row a model becomes one row
        numbered = frame.with_columns(pl.lit(0).alias(_PLACE))
        return _side_by_side(numbered, [_PLACE], models).drop(_PLACE)
    shared = [column for column in _OF_NO_MODEL if column in frame.columns]
    values = [column for column in frame.columns if column not in (*keys, *shared, _MODEL)]
    beside = (
        frame.filter(pl.col(_MODEL).is_in(models))
        .group_by(keys, maintain_order=True)
        .agg(pl.col(column).drop_nulls().first() for column in shared)
    )
    for model in models:
        of_model = frame.filter(pl.col(_MODEL) == model).select(
            *keys, *(pl.col(value).alias(f"{value}_{model}") for value in values)
        )
        beside = beside.join(of_model, on=keys, how="left", nulls_equal=True, maintain_order="left")
    columns = [f"{value}_{model}" for value in values for model in models]
    empty = {f"{_BASIS}_{model}" for model in models} & _without_values(beside)
    return beside.select(*keys, *shared, *(name for name in columns if name not in empty))


def _without_values(frame: pl.DataFrame) -> set[str]:
    return {column.name for column in frame if column.null_count() == len(frame)}


def encode(frame: pl.DataFrame, form: Format, *, title: str) -> bytes:
    """Return a report as the bytes of a file, in any format but the terminal's table.

    Parameters
    ----------
    frame : DataFrame
        The report.
    form : Format
        CSV, JSON (a list of objects), Parquet or HTML.
    title : str
        The heading of the page, in HTML.
    """
    buffer = io.BytesIO()
    if form is Format.CSV:
        frame.write_csv(buffer)
    elif form is Format.JSON:
        frame.write_json(buffer)
    elif form is Format.PARQUET:
        frame.write_parquet(buffer)
    else:
        buffer.write(_page(frame, title).encode())
    return buffer.getvalue()


def _page(frame: pl.DataFrame, title: str) -> str:
    numeric = [dtype.is_numeric() for dtype in frame.dtypes]
    rows = (
        "".join(
            f'<td class="number">{_cell(value)}</td>' if number else f"<td>{_cell(value)}</td>"
            for value, number in zip(row, numeric, strict=True)
        )
        for row in frame.iter_rows()
    )
    return _PAGE.format(
        title=html.escape(title),
        head="".join(f"<th>{html.escape(name)}</th>" for name in frame.columns),
        body="\n".join(f"<tr>{row}</tr>" for row in rows),
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{round(value, 4) + 0.0:,.4f}".rstrip("0").rstrip(".")
    return (
        "" if value is None else html.escape(f"{value:,}" if isinstance(value, int) else str(value))
    )
