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
    few_at_risk,
    layered,
    legend,
    limit_of,
    line_of,
    most_rows,
    ratio_axis,
    ratio_scale,
    ratios_shown,
    some,
    styled,
)
from calibration.drawing import altair as alt
from calibration.frames import require_columns
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
_CHANCE: Final = "not flagged"
_DRAWN: Final = ((pl.col("ratio") > 0) & pl.col("ratio").is_finite()) | (
    pl.col("ratio").is_null() & (pl.col("low") > 0)
)
_PROVISIONAL: Final = "provisional"
_FINAL: Final = "final"
_LABEL: Final = 0.1  # of the axis: a shade that is narrower is not labelled
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
        Where both axes end; a little after the highest score when omitted, or at 1. But where a
        histogram shows that 99% of the rows lie below a tenth of that, a little after those.

    Raises
    ------
    InvalidSampleError
        If a frame lacks a column.
    CalibrationError
        If it has no row.
    """
    line = line_of(curve)
    full = limit_of(line, bins)
    shown = limit or min(full, most_rows(histogram, full))
    square = Square(shown, above=histogram is not None)
    if consistency is not None:
        require_columns(consistency, ("probability", "low", "high"), of="consistency")
        square.band(consistency, _CALIBRATED_95, CALIBRATED)
    if confidence is not None:
        require_columns(confidence, ("probability", "low", "high"), of="confidence")
        square.band(confidence, _TRUE_95, TRUE)
    square.diagonal()
    square.curve(line, "observed rate", CURVE)
    if bins is not None:
        square.dots(bins, "observed rate of a bin", INK)
    told = [f"predicted / observed {ratio:.3f}"] if ratio is not None else []
    told += [f"calibration error {error:.4f}"] if error is not None else []
    told += ["99% of the rows are drawn"] if not limit and shown < full else []
    parts: list[alt.LayerChart | alt.Chart] = [square.chart()]
    if histogram is not None:
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
    InvalidSampleError
        If a frame lacks a column.
    CalibrationError
        If it has no row.
    """
    pairs = [("before", before, BEFORE_BAND), ("after", after, TRUE)]
    lines = [line_of(before), line_of(after)]
    square = Square(limit_of(*lines))
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
    """Draw the ratio of each segment with its interval; those that are flagged on top.

    Parameters
    ----------
    segments : DataFrame
        From ``calibration_by``: segment (text), ratio, low and high (null where unknown: the
        interval is open), events, flagged (true where it is no chance). They are drawn in their
        order, the flagged before the others. A segment without events has no ratio but perhaps a
        low, and is drawn as an arrow at the edge; others without a ratio are left out.
    title : str
        Above the chart.
    most : int
        How many segments are drawn, though always all that are flagged.

    Raises
    ------
    InvalidSampleError
        If a column is missing.
    CalibrationError
        If no segment has a ratio or a low.
    """
    needed = ("segment", "ratio", "low", "high", "events", "flagged")
    require_columns(segments, needed, of="segments")
    segments = some(segments.filter(_DRAWN), "segments").sort(
        pl.col("flagged").fill_null(False), descending=True, maintain_order=True
    )
    known = segments.head(max(most, int(segments["flagged"].sum())))
    low, high = ratios_shown(known)
    known = known.with_columns(
        pl.col("low").fill_null(low).clip(low, high),
        pl.col("ratio", "high").fill_null(high).clip(low, high),
        told=pl.when("flagged").then(pl.lit(_MISCALIBRATED)).otherwise(pl.lit(_CHANCE)),
        mark=pl.when(pl.col("ratio").is_null())
        .then(pl.lit("triangle-right"))
        .when("flagged")
        .then(pl.lit("diamond"))
        .otherwise(pl.lit("circle")),
    )
    names = [_MISCALIBRATED, _CHANCE]
    colour = alt.Color("told:N").scale(domain=names, range=[FLAGGED, CURVE]).legend(legend())
    shape = alt.Shape("mark:N", scale=None)
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
    note = "with 95% intervals; flagged first; right: events; an arrow: no event, ratio beyond"
    return styled(layered(layers, WIDE, _ROW * len(known) + 8), title, note)


def drift(days: pl.DataFrame, *, title: str = "Calibration by day") -> alt.LayerChart:
    """Draw the ratio day by day with its interval, provisional days apart, change points marked.

    Parameters
    ----------
    days : DataFrame
        From ``calibration_by_day``: day (date or number), ratio, low and high (null where
        unknown), events, provisional (true where labels are still to come), change (true where
        another level begins). A day without events has no ratio but perhaps a low, and is drawn as
        an arrow at the edge.
    title : str
        Above the chart.

    Raises
    ------
    InvalidSampleError
        If a column is missing.
    CalibrationError
        If no day has a ratio or a low.
    """
    needed = ("day", "ratio", "low", "high", "events", "provisional", "change")
    require_columns(days, needed, of="days")
    known = some(days.filter(_DRAWN).sort("day"), "days")
    low, high = ratios_shown(known)
    known = known.with_columns(
        pl.col("low").fill_null(low).clip(low, high),
        pl.col("ratio", "high").fill_null(high).clip(low, high),
        told=pl.when("provisional").then(pl.lit(_PROVISIONAL)).otherwise(pl.lit(_FINAL)),
        mark=pl.when(pl.col("ratio").is_null())
        .then(pl.lit("triangle-up"))
        .otherwise(pl.lit("circle")),
    )
    day = alt.X("day:Q", title="Day", axis=alt.Axis(tickMinStep=1, grid=False))
    day = day.scale(zero=False, nice=False)
    if days.schema["day"].is_temporal():
        day = alt.X("day:T", title="Day", axis=alt.Axis(format="%-d %b", tickCount=8, grid=False))
    scale = ratio_scale(low, high)
    base = alt.Chart(data(known)).encode(x=day)
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
            y=alt.Y("ratio:Q", scale=scale), fill=fill, shape=alt.Shape("mark:N", scale=None)
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
        Where fewer are at risk the curve is dashed, and shaded: at long delays of matured cohorts,
        and at short ones too of a curve in reversed time, which compares them with few.
    title : str
        Above the chart.

    Raises
    ------
    InvalidSampleError
        If a column is missing.
    CalibrationError
        If there is no row.
    """
    require_columns(delays, ("delay", "arrived", "low", "high", "at_risk"), of="delays")
    known = some(delays.drop_nulls("arrived").sort("delay"), "delays")
    longest = float(known["delay"].max())  # type: ignore[arg-type]
    unit, hours = ("days", 24.0) if longest > _DAYS_FROM else ("hours", 1.0)
    end = longest / hours
    known = known.with_columns(
        pl.col("delay") / hours, mature=pl.col("at_risk") >= fewest
    ).with_columns(run=pl.col("mature").rle_id())
    shades = few_at_risk(known, end)
    x = alt.X("delay:Q").title(f"Delay after the click ({unit})").scale(domain=[0, end], nice=False)
    y = alt.Y("low:Q").title("Share of conversions that arrived").axis(format="%")
    y = y.scale(domain=[0, 1])
    base = alt.Chart(data(known)).encode(x=x)
    layers: list[alt.Chart] = []
    if not shades.is_empty():
        shade = alt.Chart(data(shades))
        wide = shade.transform_filter(f"datum.to - datum.from > {_LABEL * end}")
        layers += [
            shade.mark_rect(color=CALIBRATED, opacity=0.55).encode(x="from:Q", x2="to:Q"),
            wide.mark_text(
                text="few events",
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
            y="arrived:Q", detail="run:N"
        ),
        dashed.mark_line(
            color=CURVE, strokeWidth=2.4, interpolate="step-after", strokeDash=[5, 4]
        ).encode(y="arrived:Q", detail="run:N"),
    ]
    return styled(layered(layers, WIDE, _LOW), title, _SUBTITLE)
