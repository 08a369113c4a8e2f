"""Pictures of calibration: frames of figures in, charts out, files without a browser or network.

Needs the extra ``adscribe[pictures]``. A chart is an ``altair`` chart, and can be changed further;
:func:`save` writes it.
"""

from typing import Final

import polars as pl

from calibration.drawing import (
    BEFORE,
    BEFORE_BAND,
    CALIBRATED,
    CURVE,
    FLAGGED,
    INK,
    MUTED,
    TRUE,
    WIDE,
    Square,
    at_one,
    data,
    layered,
    legend,
    need,
    ratio_axis,
    ratio_scale,
    ratios_shown,
    some,
    styled,
)
from calibration.drawing import altair as alt
from calibration.picture_files import save

__all__ = [
    "before_and_after", "calibration_by_segment", "delay_curve", "drift", "reliability_diagram",
    "save",
]  # fmt: skip

_LOW: Final = 240
_ROW: Final = 24  # pixels for a segment
_DAYS_FROM: Final = 96.0  # hours above which delays are told in days
_TRUE_95: Final = "true rate, 95% band"
_CALIBRATED_95: Final = "a calibrated forecast, 95% band"
_MISCALIBRATED: Final = "miscalibrated"
_CHANCE: Final = "within chance"
_PROVISIONAL: Final = "provisional"
_FINAL: Final = "final"
_TO_ONE: Final = 0.5  # scores above which a diagram goes up to 1
_MOST: Final = 0.9  # of the highest score: up to it, rates must fit into a diagram
_SUBTITLE: Final = "with 95% intervals"


def reliability_diagram(
    curve: pl.DataFrame,
    *,
    confidence: pl.DataFrame | None = None,
    consistency: pl.DataFrame | None = None,
    bins: pl.DataFrame | None = None,
    histogram: pl.DataFrame | None = None,
    title: str = "Reliability",
    ratio: float | None = None,
    error: float | None = None,
    limit: float | None = None,
) -> alt.VConcatChart:
    """Draw the observed rate against the predicted probability.

    Parameters
    ----------
    curve : DataFrame
        From ``isotonic_curve``, ``confidence_band`` or ``smoothed_curve``: rate, and probability or
        lowest and highest.
    confidence, consistency : DataFrame, optional
        From ``confidence_band`` (or ``smoothed_curve``) and ``consistency_band``: probability, low
        and high.
    bins : DataFrame, optional
        From ``binned_curve``: probability, rate, low and high; dots with their intervals.
    histogram : DataFrame, optional
        From ``score_histogram``: lowest, highest and share; drawn below.
    title : str
        Above the diagram.
    ratio, error : float, optional
        Predicted over observed, and a calibration error, told below the title.
    limit : float, optional
        Where both axes end; a little after the highest score when omitted, or at 1.

    Raises
    ------
    CalibrationError
        If a frame lacks a column, or has no row.
    """
    line = _line(curve)
    square = Square(limit or _limit(line, bins), above=histogram is not None)
    if consistency is not None:
        need(consistency, ("probability", "low", "high"), "consistency")
        square.band(consistency, _CALIBRATED_95, CALIBRATED)
    if confidence is not None:
        need(confidence, ("probability", "low", "high"), "confidence")
        square.band(confidence, _TRUE_95, TRUE)
    square.diagonal()
    square.curve(line, "observed rate", CURVE)
    if bins is not None:
        square.dots(bins, "observed rate of a bin", INK)
    told = [f"predicted / observed {ratio:.3f}"] if ratio is not None else []
    told += [f"calibration error {error:.4f}"] if error is not None else []
    parts: list[alt.LayerChart | alt.Chart] = [square.chart()]
    if histogram is not None:
        need(histogram, ("lowest", "highest", "share"), "histogram")
        parts.append(square.histogram(histogram))
    return styled(alt.vconcat(*parts, spacing=6), title, "  ·  ".join(told))


def before_and_after(
    before: pl.DataFrame,
    after: pl.DataFrame,
    *,
    title: str = "Reliability before and after calibration",
    note: str = "",
) -> alt.VConcatChart:
    """Draw two curves over each other: of the scores, and of what a calibrator made of them.

    Parameters
    ----------
    before, after : DataFrame
        From ``confidence_band`` or ``smoothed_curve``: probability, rate, low and high. The band of
        a curve without low and high is left out.
    title, note : str
        Above the diagram, and smaller below the title.

    Raises
    ------
    CalibrationError
        If a frame lacks a column, or has no row.
    """
    pairs = [("before", before, BEFORE_BAND), ("after", after, TRUE)]
    lines = [_line(before), _line(after)]
    square = Square(_limit(*lines))
    for name, frame, colour in pairs:
        if {"probability", "low", "high"} <= set(frame.columns):
            square.band(frame, f"{name}, 95% band", colour)
    square.diagonal()
    square.curve(lines[0], "before (dashed)", BEFORE, dash=(7, 4))
    square.curve(lines[1], "after", CURVE)
    return styled(alt.vconcat(square.chart()), title, note)


def calibration_by_segment(
    segments: pl.DataFrame, *, title: str = "Calibration by segment", most: int = 30
) -> alt.LayerChart:
    """Draw the ratio of each segment with its interval, the farthest from 1 on top.

    Parameters
    ----------
    segments : DataFrame
        segment (text), ratio, low and high (null where unknown: the interval is open), events,
        flagged (true where it is no chance). Rows without a ratio are left out.
    title : str
        Above the chart.
    most : int
        How many segments are drawn.

    Raises
    ------
    CalibrationError
        If a column is missing, or no segment has a ratio.
    """
    need(segments, ("segment", "ratio", "low", "high", "events", "flagged"), "segments")
    known = some(
        segments.filter(pl.col("ratio") > 0, pl.col("ratio").is_finite()).sort(
            pl.col("ratio").log().abs(), "segment", descending=[True, False]
        ),
        "segments",
    ).head(most)
    low, high = ratios_shown(known)
    known = known.with_columns(
        pl.col("low").fill_null(low).clip(low, high),
        pl.col("high").fill_null(high).clip(low, high),
        told=pl.when("flagged").then(pl.lit(_MISCALIBRATED)).otherwise(pl.lit(_CHANCE)),
    )
    names = [_MISCALIBRATED, _CHANCE]
    colour = alt.Color("told:N").scale(domain=names, range=[FLAGGED, CURVE]).legend(legend())
    shape = alt.Shape("told:N").scale(domain=names, range=["diamond", "circle"]).legend(legend())
    rows = alt.Y("segment:N", sort=known["segment"].to_list(), title=None)
    base = alt.Chart(data(known)).encode(y=rows)
    ratio = alt.X("ratio:Q", axis=ratio_axis(low, high), scale=ratio_scale(low, high))
    interval = alt.X("low:Q", axis=ratio_axis(low, high), scale=ratio_scale(low, high))
    layers = [
        at_one("x"),
        base.mark_rule(strokeWidth=2.5, opacity=0.75).encode(x=interval, x2="high:Q", color=colour),
        base.mark_point(filled=True, size=95, opacity=1).encode(x=ratio, color=colour, shape=shape),
        base.mark_text(align="right", color=MUTED).encode(
            x=alt.value(WIDE + 76), text=alt.Text("events:Q", format=",.0f")
        ),
    ]
    note = "with 95% intervals, farthest from 1 first; right: events"
    return styled(layered(layers, WIDE, _ROW * len(known) + 8), title, note)


def drift(days: pl.DataFrame, *, title: str = "Calibration by day") -> alt.LayerChart:
    """Draw the ratio day by day with its interval, provisional days apart, change points marked.

    Parameters
    ----------
    days : DataFrame
        day (date), ratio, low and high (null where unknown), events, provisional (true where labels
        are still to come), change (true where another level begins).
    title : str
        Above the chart.

    Raises
    ------
    CalibrationError
        If a column is missing, or no day has a ratio.
    """
    need(days, ("day", "ratio", "low", "high", "events", "provisional", "change"), "days")
    known = some(days.filter(pl.col("ratio") > 0, pl.col("ratio").is_finite()).sort("day"), "days")
    known = known.with_columns(
        told=pl.when("provisional").then(pl.lit(_PROVISIONAL)).otherwise(pl.lit(_FINAL))
    )
    low, high = ratios_shown(known)
    day = alt.X("day:T", title="Day", axis=alt.Axis(format="%-d %b", tickCount=8, grid=False))
    scale = ratio_scale(low, high)
    base = alt.Chart(data(known.with_columns(pl.col("low", "high").clip(low, high)))).encode(x=day)
    names = [_FINAL, _PROVISIONAL]
    fill = alt.Fill("told:N").scale(domain=names, range=[CURVE, "white"]).legend(legend())
    changes = base.transform_filter("datum.change")
    layers = [
        base.mark_area(color=TRUE, opacity=0.75).encode(
            y=alt.Y("low:Q", axis=ratio_axis(low, high), scale=scale), y2="high:Q"
        ),
        at_one("y"),
        changes.mark_rule(color=FLAGGED, strokeWidth=2, strokeDash=[6, 4]),
        changes.mark_text(
            text="change", color=FLAGGED, align="center", baseline="bottom", fontWeight="bold"
        ).encode(y=alt.value(-4)),
        base.mark_line(color=CURVE, strokeWidth=2).encode(y=alt.Y("ratio:Q", scale=scale)),
        base.mark_point(size=48, opacity=1, stroke=CURVE, strokeWidth=1.8).encode(
            y=alt.Y("ratio:Q", scale=scale), fill=fill
        ),
    ]
    return styled(layered(layers, WIDE, _LOW), title, _SUBTITLE)


def delay_curve(
    delays: pl.DataFrame, *, fewest: float = 100.0, title: str = "How late conversions arrive"
) -> alt.LayerChart:
    """Draw the share of conversions that arrived by a delay, with its interval.

    Parameters
    ----------
    delays : DataFrame
        delay (hours), arrived, low and high (shares), at_risk (how many conversions tell of it).
    fewest : float
        Where fewer are at risk the curve is marked as immature.
    title : str
        Above the chart.

    Raises
    ------
    CalibrationError
        If a column is missing, or there is no row.
    """
    need(delays, ("delay", "arrived", "low", "high", "at_risk"), "delays")
    known = some(delays.drop_nulls("arrived").sort("delay"), "delays")
    longest = float(known["delay"].max())  # type: ignore[arg-type]
    unit, hours = ("days", 24.0) if longest > _DAYS_FROM else ("hours", 1.0)
    known = known.with_columns(pl.col("delay") / hours, mature=pl.col("at_risk") >= fewest)
    immature = known.filter(~pl.col("mature"))["delay"].min()
    end = longest / hours
    x = alt.X("delay:Q").title(f"Delay after the click ({unit})").scale(domain=[0, end], nice=False)
    y = alt.Y("low:Q").title("Share of conversions that arrived").axis(format="%")
    y = y.scale(domain=[0, 1])
    base = alt.Chart(data(known)).encode(x=x)
    layers: list[alt.Chart] = []
    if immature is not None:
        shade = alt.Chart(data(pl.DataFrame({"from": [immature], "to": [end]})))
        layers += [
            shade.mark_rect(color=CALIBRATED, opacity=0.55).encode(x="from:Q", x2="to:Q"),
            shade.mark_text(
                text="immature",
                color=MUTED,
                align="right",
                baseline="bottom",
                dx=-6,
                fontWeight="bold",
            ).encode(x="to:Q", y=alt.value(_LOW - 8)),
        ]
    solid, dashed = base.transform_filter("datum.mature"), base.transform_filter("!datum.mature")
    layers += [
        base.mark_area(color=TRUE, opacity=0.85, interpolate="step-after").encode(y=y, y2="high:Q"),
        solid.mark_line(color=CURVE, strokeWidth=2.4, interpolate="step-after").encode(
            y="arrived:Q"
        ),
        dashed.mark_line(
            color=CURVE, strokeWidth=2.4, interpolate="step-after", strokeDash=[5, 4]
        ).encode(y="arrived:Q"),
    ]
    return styled(layered(layers, WIDE, _LOW), title, _SUBTITLE)


def _line(curve: pl.DataFrame) -> pl.DataFrame:
    """Return probability and rate; blocks become the two ends of their level."""
    if "probability" in curve.columns:
        need(curve, ("probability", "rate"), "curve")
        return some(curve.select("probability", "rate"), "curve")
    need(curve, ("lowest", "highest", "rate"), "curve")
    ends = [curve.select(probability=name, rate="rate") for name in ("lowest", "highest")]
    return some(pl.concat(ends).sort("probability", "rate"), "curve")


def _limit(*frames: pl.DataFrame | None) -> float:
    """Return where the axes of a diagram end: at 1, or a little after the highest score.

    Or after the rates, but for those of the highest scores, which may be of a handful of rows.
    """
    ends = [0.0]
    for frame in frames:
        if frame is not None:
            last = float(frame.select(pl.col("probability").max()).item() or 0)
            rates = frame.filter(pl.col("probability") <= _MOST * last)["rate"].drop_nulls()
            ends += [last, *rates.to_list()]
    highest = max(ends)
    return 1.0 if highest > _TO_ONE or not highest else 1.05 * highest
