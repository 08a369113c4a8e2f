"""The SQL reports: run by name, written in any format."""

import html
import io
from enum import StrEnum
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.database import Warehouse, statements
from warehouse.errors import UnknownNameError, nearest

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
    return statements("reports")


def report(warehouse: Warehouse, name: str) -> pl.DataFrame:
    """Run one report.

    Parameters
    ----------
    warehouse : Warehouse
        Where to run it; opened for reading is enough.
    name : str
        One of :func:`report_names`; each is a file of sql/reports.

    Raises
    ------
    UnknownNameError
        If there is no such report.
    """
    if name not in report_names():
        raise UnknownNameError(f'no report "{name}": {nearest(name, report_names())}')
    return warehouse.query(f"reports/{name}")


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
        return f"{value:,.4f}".rstrip("0").rstrip(".")
    return (
        "" if value is None else html.escape(f"{value:,}" if isinstance(value, int) else str(value))
    )
