"""Calibrators as files."""

import json
from pathlib import Path

import numpy as np
import pytest

from calibration.calibrators import Calibrator, HistogramCalibrator, IsotonicCalibrator
from calibration.errors import CalibrationError
from calibration.parametric import BetaCalibrator, SigmoidCalibrator, TemperatureCalibrator
from calibration.priors import PriorCalibrator
from calibration.saving import KINDS, load_calibrator
from calibration.segmented import SegmentedCalibrator
from calibration.venn_abers import VennAbersCalibrator

OF_EACH_KIND = [
    BetaCalibrator(),
    HistogramCalibrator(bins=7, pseudo_count=2),
    IsotonicCalibrator(),
    PriorCalibrator(),
    SegmentedCalibrator(base=IsotonicCalibrator(), pseudo_events=5),
    SigmoidCalibrator(),
    TemperatureCalibrator(),
    VennAbersCalibrator(),
]


def _fitted(calibrator: Calibrator) -> Calibrator:
    generator = np.random.default_rng(1)
    y_prob = generator.random(300)
    y_true = generator.random(300) < y_prob
    if isinstance(calibrator, SegmentedCalibrator):
        return calibrator.fit(y_true, y_prob, segments=np.arange(300) % 3)
    return calibrator.fit(y_true, y_prob)


@pytest.mark.parametrize("calibrator", OF_EACH_KIND, ids=lambda item: item.kind)
def test_a_calibrator_is_read_back_exactly(calibrator: Calibrator, tmp_path: Path) -> None:
    fitted = _fitted(calibrator)
    scores = np.linspace(0, 1, 101)

    fitted.save(tmp_path / "fitted.json")
    loaded = load_calibrator(tmp_path / "fitted.json")

    assert loaded == fitted
    options = {"segments": np.arange(101) % 3} if isinstance(fitted, SegmentedCalibrator) else {}
    assert np.array_equal(loaded.predict(scores, **options), fitted.predict(scores, **options))


def test_every_kind_can_be_loaded() -> None:
    assert {calibrator.kind for calibrator in OF_EACH_KIND} == set(KINDS)


def _saved(tmp_path: Path, **changes: object) -> Path:
    path = tmp_path / "calibrator.json"
    _fitted(IsotonicCalibrator()).save(path)
    content = json.loads(path.read_text("utf-8")) | changes
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"format": "model"}, "it holds no calibrator"),
        ({"version": 2}, "version 2 is not 1; fit the calibrator again"),
        ({"kind": "splines"}, "kind 'splines' is none of beta, histogram"),
        ({"kind": ["beta"]}, "is none of beta"),
        ({"slope": 1.0}, "damaged: isotonic with missing or unknown slope"),
        ({"scores": 0.5}, "damaged: isotonic.scores has another type"),
        ({"scores": ["a"]}, "damaged: isotonic.scores has another type"),
        ({"scores": [0.5, 0.1], "probabilities": [0.1, 0.2]}, "do not fit together"),
        ({"scores": [0.1, 0.5], "probabilities": [0.3, 0.2]}, "do not fit together"),
        ({"scores": [0.1]}, "do not fit together"),
        ({"scores": [], "probabilities": []}, "do not fit together"),
        ({"limits": [0.0, 1.0]}, "do not fit together"),
        ({"limits": [float("nan"), 0.9]}, "damaged: NaN is no number"),
    ],
)
def test_damaged_content_is_told_in_one_line(
    changes: dict[str, object], told: str, tmp_path: Path
) -> None:
    path = _saved(tmp_path, **changes)

    with pytest.raises(CalibrationError, match=told) as caught:
        load_calibrator(path)

    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{", '"calibrator"', "\x80", "[" * 100_000])
def test_a_file_of_something_else_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(text.encode("latin-1"))

    with pytest.raises(CalibrationError, match="is not a calibrator that can be read"):
        load_calibrator(path)


@pytest.mark.parametrize("calibrator", OF_EACH_KIND, ids=lambda item: item.kind)
def test_numbers_that_no_fit_gives_are_refused(calibrator: Calibrator, tmp_path: Path) -> None:
    path = tmp_path / "calibrator.json"
    _fitted(calibrator).save(path)
    content = json.loads(path.read_text("utf-8"))
    lists = [name for name, value in content.items() if isinstance(value, list) and value]

    assert lists
    for name in lists:
        damaged = json.dumps(content | {name: content[name][:-1]})
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(CalibrationError, match="do not fit together"):
            load_calibrator(path)


def test_an_infinite_coefficient_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calibrator.json"
    fitted = _fitted(SigmoidCalibrator())
    fitted.save(path)
    assert isinstance(fitted, SigmoidCalibrator)
    text = path.read_text("utf-8").replace(repr(fitted.coefficients[0]), "1e999")
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CalibrationError, match="do not fit together"):
        load_calibrator(path)


def test_an_interval_that_ends_before_it_begins_is_refused(tmp_path: Path) -> None:
    fitted = _fitted(VennAbersCalibrator())
    assert isinstance(fitted, VennAbersCalibrator)
    path = tmp_path / "calibrator.json"
    fitted.save(path)
    content = json.loads(path.read_text("utf-8"))
    content["lower"], content["upper"] = content["upper"], content["lower"]
    path.write_text(json.dumps(content), encoding="utf-8")

    with pytest.raises(CalibrationError, match="do not fit together"):
        load_calibrator(path)


def test_a_version_that_is_no_number_and_a_name_twice_are_refused(tmp_path: Path) -> None:
    path = _saved(tmp_path, version=True)
    with pytest.raises(CalibrationError, match="version True is not 1"):
        load_calibrator(path)

    path.write_text(_saved(tmp_path).read_text("utf-8").replace("{", '{"kind": "beta", ', 1))
    with pytest.raises(CalibrationError, match="a name stands twice"):
        load_calibrator(path)


def test_what_cannot_be_written_is_refused_in_one_line(tmp_path: Path) -> None:
    fitted = _fitted(IsotonicCalibrator())

    for path in (tmp_path / "none" / "c.json", tmp_path):
        with pytest.raises(CalibrationError, match="cannot be written"):
            fitted.save(path)
    with pytest.raises(CalibrationError, match="not fitted"):
        IsotonicCalibrator().save(tmp_path / "c.json")
