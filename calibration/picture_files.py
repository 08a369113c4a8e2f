"""Charts into files, without a browser or network."""

import re
from pathlib import Path
from typing import Final

from calibration.drawing import altair, vl_convert
from calibration.errors import CalibrationError

_VERSION: Final = ".".join(altair.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def save(chart: altair.TopLevelMixin, path: str | Path, *, scale: float = 2.0) -> Path:
    """Write a chart as its suffix says, and return the path; the same chart gives the same bytes.

    Parameters
    ----------
    chart : altair chart
        Of this module or any other.
    path : str or Path
        Ends in .html (interactive, whole in one file, needs no network), .svg or .png.
    scale : float
        Pixels of a png for each of the chart.

    Raises
    ------
    CalibrationError
        If the suffix is another, or the folder is not there.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in {".html", ".svg", ".png"}:
        raise CalibrationError(f'{path}: cannot draw "{suffix}"; name it .html, .svg or .png')
    if not path.parent.is_dir():
        raise CalibrationError(f"{path}: the folder is not there; make it first")
    spec = chart.to_dict()
    if suffix == ".png":
        path.write_bytes(vl_convert.vegalite_to_png(spec, vl_version=_VERSION, scale=scale))
    elif suffix == ".svg":
        drawing = _renumbered(vl_convert.vegalite_to_svg(spec, vl_version=_VERSION))
        path.write_text(drawing, encoding="utf-8")
    else:
        page = vl_convert.vegalite_to_html(spec, vl_version=_VERSION, bundle=True)
        path.write_text(page, encoding="utf-8")
    return path


def _renumbered(drawing: str) -> str:
    """Return an svg whose clipping paths count from 0; vega counts on from drawing to drawing."""
    found = dict.fromkeys(re.findall(r'id="(clip\d+)"', drawing))
    numbers = {name: f"clip{number}" for number, name in enumerate(found)}
    return re.sub(
        r'(id="|url\(#)(clip\d+)(?="|\))', lambda at: at[1] + numbers.get(at[2], at[2]), drawing
    )
