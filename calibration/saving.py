"""Calibrators read back from the JSON that their ``save`` writes."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NoReturn, get_type_hints

from calibration.calibrators import (
    FORMAT,
    VERSION,
    Calibrator,
    HistogramCalibrator,
    IsotonicCalibrator,
)
from calibration.errors import CalibrationError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator, TemperatureCalibrator
from calibration.priors import PriorCalibrator
from calibration.segmented import SegmentedCalibrator
from calibration.venn_abers import VennAbersCalibrator

KINDS: Final[dict[str, type[Calibrator]]] = {
    calibrator.kind: calibrator
    for calibrator in (
        BetaCalibrator,
        HistogramCalibrator,
        IsotonicCalibrator,
        PriorCalibrator,
        SegmentedCalibrator,
        SigmoidCalibrator,
        TemperatureCalibrator,
        VennAbersCalibrator,
    )
}


def load_calibrator(path: str | Path) -> Calibrator:
    """Return the calibrator that a file holds; nothing in the file is executed.

    Parameters
    ----------
    path : str or Path
        What :meth:`Calibrator.save` wrote.

    Raises
    ------
    CalibrationError
        If the file is no calibrator, is of another version or kind, or is damaged.
    OSError
        If it cannot be read.
    """
    try:
        content = json.loads(
            Path(path).read_text("utf-8"),
            parse_constant=_refuse_constant,
            object_pairs_hook=_single,
        )
        if not isinstance(content, dict) or content.pop("format", None) != FORMAT:
            raise ValueError("it holds no calibrator")
        version = content.pop("version", None)
        if type(version) is not int or version != VERSION:
            raise ValueError(f"version {version!r} is not {VERSION}; fit the calibrator again")
        return _calibrator(content)
    except (ValueError, OverflowError, RecursionError) as error:
        told = str(error).partition("\n")[0]
        raise CalibrationError(f"{path} is not a calibrator that can be read: {told}") from None


def _calibrator(content: object) -> Calibrator:
    if not isinstance(content, dict):
        raise ValueError("damaged: a calibrator is missing")
    kind = content.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(sorted(KINDS))}")
    chosen = KINDS[kind]
    expected = {field.name for field in fields(chosen)}
    wrong = (expected | {"kind"}) ^ set(content)
    if wrong:
        raise ValueError(f"damaged: {kind} with missing or unknown {', '.join(sorted(wrong))}")
    hints = get_type_hints(chosen)
    values: dict[str, Any] = {
        name: _value(content[name], hints[name], f"{kind}.{name}") for name in expected
    }
    calibrator = chosen(**values)
    if not calibrator.is_consistent():
        raise ValueError(f"damaged: the values of {kind} do not fit together")
    return calibrator


def _value(value: object, hint: object, name: str) -> object:
    """Return a value as its field wants it."""
    if isinstance(value, list):
        items = {tuple[float, ...]: float, tuple[str, ...]: str, tuple[Calibrator, ...]: Calibrator}
        for kind, item in items.items():
            if hint == kind:
                return tuple(_value(entry, item, name) for entry in value)
    elif hint is Calibrator:
        return _calibrator(value)
    elif hint is float and type(value) is int:
        return float(value)
    elif type(value) is hint:
        return value
    raise ValueError(f"damaged: {name} has another type")


def _single(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object of a file; refuse one that names an attribute twice."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("damaged: a name stands twice")
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"damaged: {name} is no number of a calibrator")
