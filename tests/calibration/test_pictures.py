"""Pictures: the data that a chart holds, and the files that it becomes."""

import builtins
import importlib
import json
import re
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from calibration import curves, drawing, pictures
from calibration.bands import confidence_band, consistency_band
from calibration.errors import CalibrationError


@pytest.fixture(scope="module")
def frames() -> dict[str, pl.DataFrame]:
    generator = np.random.default_rng(1)
    score = generator.beta(2, 3, 300)
    happened = generator.random(300) < score**1.4
    days, hours = np.arange(12), np.arange(0, 240, 12.0)
    return {
        "isotonic": curves.isotonic_curve(happened, score),
        "smoothed": curves.smoothed_curve(happened, score, points=20),
        "confidence": confidence_band(happened, score, points=20),
        "consistency": consistency_band(happened, score, points=20, resamples=49),
        "bins": curves.binned_curve(happened, score, bins=5),
        "histogram": curves.score_histogram(happened, score, bins=20),
        "segments": pl.DataFrame(
            {
                "segment": ["fine", "low", "worst", "empty"],
                "ratio": [1.01, 0.8, 1.9, None],
                "low": [0.9, 0.7, 1.5, None],
                "high": [1.1, 0.9, None, None],
                "weight": [1e4, 1e3, 1e2, 1.0],
                "events": [5000.0, 300.0, 12.0, 0.0],
                "expected": [5050.0, 240.0, 22.8, 0.2],
                "flagged": [False, True, True, False],
            }
        ),
        "days": pl.DataFrame(
            {
                "day": [date(2026, 9, 1) + timedelta(int(day)) for day in days],
                "ratio": 1 + 0.02 * days,
                "low": 0.9 + 0.02 * days,
                "high": 1.1 + 0.02 * days,
                "events": 100.0 + days,
                "expected": 100.0 + 2 * days,
                "provisional": days >= 10,
                "change": days == 6,
            }
        ),
        "delays": pl.DataFrame(
            {
                "delay": hours,
                "arrived": 1 - np.exp(-hours / 40),
                "low": (0.98 - np.exp(-hours / 40)).clip(0),
                "high": (1.02 - np.exp(-hours / 40)).clip(0, 1),
                "at_risk": 1000 * np.exp(-hours / 60),
            }
        ),
    }


def draw(name: str, frames: dict[str, pl.DataFrame]) -> Any:
    return {
        "reliability": lambda: pictures.reliability_diagram(
            frames["isotonic"],
            **{key: frames[key] for key in ("confidence", "consistency", "bins", "histogram")},
            title="A model",
            ratio=1.25,
            error=0.0312,
        ),
        "segments": lambda: pictures.calibration_by_segment(frames["segments"]),
        "drift": lambda: pictures.drift(frames["days"]),
        "delay": lambda: pictures.delay_curve(frames["delays"]),
        "before": lambda: pictures.before_and_after(frames["confidence"], frames["smoothed"]),
    }[name]()


CHARTS = ("reliability", "segments", "drift", "delay", "before")


def held(spec: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the data of a specification, a list of rows for each frame in it."""
    rows = list(spec["datasets"].values())
    assert rows
    return rows


def columns(rows: list[dict[str, Any]], names: list[str]) -> list[tuple[Any, ...]]:
    return [tuple(row.get(name) for name in names) for row in rows]


def test_reliability_diagram_holds_curve_both_bands_bins_and_histogram(
    frames: dict[str, pl.DataFrame],
) -> None:
    spec = draw("reliability", frames).to_dict()

    layers = held(spec)
    for name in ("confidence", "consistency"):
        band = frames[name].select("probability", "low", "high")
        assert any(columns(rows, band.columns) == band.rows() for rows in layers)
    bins = frames["bins"].select("probability", "rate", "low", "high")
    assert any(columns(rows, bins.columns) == bins.rows() for rows in layers)
    shares = frames["histogram"].filter(pl.col("share") > 0).select("lowest", "share")
    assert any(columns(rows, shares.columns) == shares.rows() for rows in layers)
    told = json.dumps(spec, ensure_ascii=False)
    assert '"A model"' in told
    assert "predicted / observed 1.250  ·  calibration error 0.0312" in told


def test_blocks_are_drawn_as_levels(frames: dict[str, pl.DataFrame]) -> None:
    blocks = frames["isotonic"]

    spec = pictures.reliability_diagram(blocks).to_dict()

    ends = sorted(
        (row[end], row["rate"]) for row in blocks.to_dicts() for end in ("lowest", "highest")
    )
    assert any(columns(rows, ["probability", "rate"]) == ends for rows in held(spec))


@pytest.mark.parametrize(
    ("name", "frame"), [("segments", "segments"), ("drift", "days"), ("delay", "delays")]
)
def test_charts_hold_figures_and_intervals(
    name: str, frame: str, frames: dict[str, pl.DataFrame]
) -> None:
    layers = held(draw(name, frames).to_dict())

    key = {"segments": "ratio", "drift": "ratio", "delay": "arrived"}[name]
    told = frames[frame].drop_nulls().select(key, "low", "high").sort(pl.all())
    assert any(
        set(told.rows()) <= set(columns(rows, told.columns)) for rows in layers if key in rows[0]
    )


def test_segments_stand_in_their_order_flagged_first_and_without_those_of_no_ratio(
    frames: dict[str, pl.DataFrame],
) -> None:
    spec = draw("segments", frames).to_dict()

    sort = re.search(r'"sort": (\[[^\]]*\])', json.dumps(spec))
    assert sort
    assert json.loads(sort.group(1)) == ["low", "worst", "fine"]


def test_as_many_segments_are_drawn_as_asked_but_all_that_are_flagged(
    frames: dict[str, pl.DataFrame],
) -> None:
    fine = frames["segments"].with_columns(flagged=pl.col("segment") == "worst")

    one = held(pictures.calibration_by_segment(fine, most=1).to_dict())
    both = held(pictures.calibration_by_segment(frames["segments"], most=1).to_dict())

    def names(layers: list[list[dict[str, Any]]]) -> set[str]:
        return {row["segment"] for rows in layers for row in rows if "segment" in row}

    assert names(one) == {"worst"}
    assert names(both) == {"worst", "low"}


@pytest.mark.parametrize(("name", "frame"), [("segments", "segments"), ("drift", "days")])
def test_what_has_no_event_is_an_arrow_at_the_edge(
    name: str, frame: str, frames: dict[str, pl.DataFrame]
) -> None:
    key = frames[frame].columns[0]
    place = frames[frame][key][1]
    without = frames[frame].with_columns(
        pl.when(pl.col(key) == place).then(None).otherwise(column).alias(column)
        for column in ("ratio", "high")
    )

    layers = held(draw(name, {**frames, frame: without}).to_dict())

    rows = [row for rows in layers for row in rows if row.get(key) == str(place)]
    assert rows
    assert all(row["mark"].startswith("triangle") for row in rows)
    assert all(row["ratio"] == row["high"] >= row["low"] for row in rows)


def test_days_that_are_numbers_are_not_drawn_as_dates(frames: dict[str, pl.DataFrame]) -> None:
    numbered = frames["days"].with_columns(day=pl.int_range(pl.len()))

    assert '"type": "temporal"' in json.dumps(pictures.drift(frames["days"]).to_dict())
    assert '"type": "temporal"' not in json.dumps(pictures.drift(numbered).to_dict())


def test_few_events_at_short_delays_are_shaded_by_themselves(
    frames: dict[str, pl.DataFrame],
) -> None:
    delays = frames["delays"].with_columns(
        at_risk=pl.when(pl.col("delay").is_between(24, 120)).then(200.0).otherwise(5.0)
    )

    layers = held(pictures.delay_curve(delays).to_dict())

    assert [{"from": 0.0, "to": 1.0}, {"from": 5.5, "to": 9.5}] in layers


def test_a_diagram_of_rare_events_is_cut_to_most_rows() -> None:
    score = np.append(np.linspace(0, 0.02, 400), 0.9)
    happened = np.arange(401) % 40 == 0
    histogram = curves.score_histogram(happened, score, bins=200)

    cut = pictures.reliability_diagram(curves.isotonic_curve(happened, score), histogram=histogram)

    told = json.dumps(cut.to_dict())
    assert set(re.findall(r'"domain": \[0, ([^]]+)\]', told)) == {"0.021"}
    assert "99% of the rows are drawn" in told


def test_the_immature_part_begins_where_too_few_are_at_risk(
    frames: dict[str, pl.DataFrame],
) -> None:
    fewest = 100.0
    first = frames["delays"].filter(pl.col("at_risk") < fewest)["delay"][0]

    marked = held(pictures.delay_curve(frames["delays"], fewest=fewest).to_dict())
    unmarked = held(pictures.delay_curve(frames["delays"], fewest=0).to_dict())

    assert [{"from": first / 24, "to": 228 / 24}] in marked
    assert not any("from" in row for rows in unmarked for row in rows)


def test_short_delays_are_told_in_hours(frames: dict[str, pl.DataFrame]) -> None:
    short = frames["delays"].filter(pl.col("delay") <= 48)

    assert "(hours)" in json.dumps(pictures.delay_curve(short).to_dict())
    assert "(days)" in json.dumps(pictures.delay_curve(frames["delays"]).to_dict())


def test_a_diagram_of_low_scores_ends_after_them() -> None:
    score = np.linspace(0, 0.02, 50)
    curve = curves.isotonic_curve(np.arange(50) == 49, score)

    spec = pictures.reliability_diagram(curve, limit=None).to_dict()
    asked = pictures.reliability_diagram(curve, limit=0.3).to_dict()

    def ends(told: dict[str, Any]) -> set[float]:
        found = re.findall(r'"domain": \[0, ([^]]+)\]', json.dumps(told))
        return {round(float(end), 9) for end in found}

    assert ends(spec) == {0.021}
    assert ends(asked) == {0.3}


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_the_same_bytes_twice(
    name: str, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    first = pictures.save(draw(name, frames), tmp_path / "first.svg").read_bytes()
    second = pictures.save(draw(name, frames), tmp_path / "second.svg").read_bytes()

    assert first.startswith(b"<svg")
    assert b"<path" in first
    assert first == second


def test_every_format_is_written_and_the_page_needs_no_network(
    frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    chart = draw("drift", frames)

    page = pictures.save(chart, tmp_path / "drift.html").read_text(encoding="utf-8")
    image = pictures.save(chart, tmp_path / "drift.PNG").read_bytes()
    larger = pictures.save(chart, tmp_path / "larger.png", scale=3).read_bytes()

    assert image.startswith(b"\x89PNG")
    width, wider = (int.from_bytes(told[16:20], "big") for told in (image, larger))
    assert wider == pytest.approx(1.5 * width, abs=2)
    assert "vegaEmbed" in page
    assert len(page) > 500_000  # the whole library stands in the page
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)


@pytest.mark.parametrize("name", ["chart.pdf", "chart", "nowhere/chart.svg"])
def test_other_suffixes_and_missing_folders_are_refused(
    name: str, frames: dict[str, pl.DataFrame], tmp_path: Path
) -> None:
    with pytest.raises(CalibrationError, match=r"name it \.html|make it first"):
        pictures.save(draw("drift", frames), tmp_path / name)

    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", CHARTS)
def test_a_missing_column_and_an_empty_frame_are_refused(
    name: str, frames: dict[str, pl.DataFrame]
) -> None:
    lacking = {key: frame.drop(frame.columns[1:]) for key, frame in frames.items()}
    empty = {key: frame.clear() for key, frame in frames.items()}

    with pytest.raises(CalibrationError, match="no column"):
        draw(name, lacking)
    with pytest.raises(CalibrationError, match="no row"):
        draw(name, empty)


def test_colours_differ_in_lightness() -> None:
    def grey(colour: str) -> float:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    for one, other in (
        (drawing.CURVE, drawing.TRUE),
        (drawing.CURVE, drawing.BEFORE),
        (drawing.TRUE, drawing.CALIBRATED),
        (drawing.BEFORE, drawing.BEFORE_BAND),
    ):
        assert abs(grey(one) - grey(other)) > 30


@pytest.mark.parametrize("missing", ["altair", "vl_convert"])
def test_a_missing_extra_names_how_to_install_it(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **options: Any) -> Any:
        if name == missing:
            raise ImportError(f"No module named {name!r}", name=name)
        return real(name, *rest, **options)

    for module in ("calibration.drawing", "calibration.pictures"):
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", absent)

    with pytest.raises(ImportError, match=rf"{missing}.*pip install adscribe\[pictures\]") as told:
        importlib.import_module("calibration.pictures")

    assert "\n" not in str(told.value)
