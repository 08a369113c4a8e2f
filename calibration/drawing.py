"""What the pictures share: one palette, one style, and the square of a reliability diagram.

The colours are safe for the colour-blind and differ in lightness, so that print in grey keeps them
apart. What tells figures from each other is never the colour alone: a dash or a shape says it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any, Final, TypeVar, cast

import polars as pl
import polars.selectors as cs

from calibration.errors import CalibrationError
from calibration.frames import require_columns

try:
    import altair
    import vl_convert
except ImportError as error:
    raise ImportError(
        f"pictures need {error.name}, which is missing: pip install adscribe[pictures]"
    ) from None

Drawn = TypeVar("Drawn", altair.LayerChart, altair.VConcatChart)

__all__ = ["altair", "vl_convert"]  # from here, so that one place tells of the extra

INK: Final = "#1f2933"
MUTED: Final = "#5b6470"
GRID: Final = "#e8eaed"
CURVE: Final = "#0b4f8a"
TRUE: Final = "#8fc1e8"  # where the true figure lies
CALIBRATED: Final = "#d6d8dc"  # what a calibrated forecast would show
BEFORE: Final = "#b86a00"
BEFORE_BAND: Final = "#f5dcae"
FLAGGED: Final = "#a83200"
SIZE: Final = 380
WIDE: Final = 620
_FONT: Final = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif"
_HISTOGRAM: Final = 64
_EXTENT: Final = 34  # pixels for labels, so that the plots line up
_RATIO: Final = "Calibration ratio (predicted / observed)"
_RATIOS: Final = (0.1, 0.2, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.4, 1.7, 2, 3, 5, 10)
_MOSTLY: Final = 0.99  # of the rows
_RARE: Final = 0.1  # of the axis: where most rows lie below it, it is cut to them
_ROOM: Final = 1.05
_TO_ONE: Final = 0.5  # scores above which a diagram goes up to 1
_MOST: Final = 0.9  # of the highest score: up to it, rates must fit into a diagram
_NARROWEST: Final = 1.15  # a ratio that is always within the axis
_INTERVAL: Final = 2.0  # how much farther than ratios, in logarithms, intervals may take the axis


@dataclass
class Square:
    """A diagram of rates against probabilities, of equal scales; layers are drawn as they come.

    Attributes
    ----------
    limit : float
        Where both axes end.
    above : bool
        Whether another chart below tells what the horizontal axis is.
    """

    limit: float
    above: bool = False
    _layers: list[altair.Chart] = field(default_factory=list)
    _colours: dict[str, str] = field(default_factory=dict)
    _bands: list[altair.Chart] = field(default_factory=list)
    _fills: dict[str, str] = field(default_factory=dict)

    def band(self, frame: pl.DataFrame, name: str, colour: str) -> None:
        """Add the area between low and high."""
        base = self._named(frame.select("probability", "low", "high"), name, self._fills, colour)
        area = base.mark_area(clip=True, opacity=0.85)
        self._bands.append(area.encode(y=self._y("low"), y2="high:Q"))

    def curve(
        self, frame: pl.DataFrame, name: str, colour: str, *, dash: tuple[int, int] = (1, 0)
    ) -> None:
        """Add the line of rates."""
        line = self._named(frame, name, self._colours, colour).mark_line(
            clip=True, strokeWidth=2.4, strokeDash=list(dash), strokeJoin="round"
        )
        self._layers.append(line.encode(y=self._y("rate")))

    def dots(self, frame: pl.DataFrame, name: str, colour: str) -> None:
        """Add a dot for each rate, and a rule from low to high."""
        require_columns(frame, ("probability", "rate", "low", "high"), of="bins")
        shown = frame.select("probability", "rate", "low", "high")
        base = self._named(shown, name, self._colours, colour)
        rule = base.mark_rule(clip=True, strokeWidth=1.4)
        dot = base.mark_point(filled=True, size=42, opacity=1)
        self._layers += [
            rule.encode(y=self._y("low"), y2="high:Q"),
            dot.encode(y=self._y("rate")),
        ]

    def diagonal(self) -> None:
        """Add the line on which a probability means what it says."""
        ends = pl.DataFrame({"probability": [0.0, self.limit], "rate": [0.0, self.limit]})
        base = self._named(ends, "perfectly calibrated (dotted)", self._colours, MUTED)
        line = base.mark_line(strokeWidth=1.4, strokeDash=[3, 3])
        self._layers.append(line.encode(y=self._y("rate")))

    def chart(self) -> altair.LayerChart:
        """Return the layers as one chart, the bands below all else."""
        lines, areas = (legend(columns=1, symbol=symbol) for symbol in ("stroke", "square"))
        colour = altair.Color("what:N", scale=_named_scale(self._colours), legend=lines)
        fill = altair.Fill("what:N", scale=_named_scale(self._fills), legend=areas)
        filled = [band.encode(fill=fill) for band in self._bands]
        coloured = [layer.encode(color=colour) for layer in self._layers]
        return layered([*filled, *coloured], SIZE, SIZE)

    def histogram(self, frame: pl.DataFrame) -> altair.Chart:
        """Return the shares of rows by score, to stand below."""
        shown = frame.filter(pl.col("lowest") < self.limit, pl.col("share") > 0)
        scale = altair.Scale(domain=[0, self.limit], nice=False)
        bars = (
            altair.Chart(data(shown))
            .mark_bar(clip=True, color=MUTED, stroke="white", strokeWidth=0.5)
            .encode(
                x=altair.X("lowest:Q", scale=scale, title="Predicted probability"),
                x2="highest:Q",
                y2=altair.YDatum(0),
                y=altair.Y("share:Q", title="Share of rows", stack=None).axis(
                    format="%", tickCount=3, minExtent=_EXTENT
                ),
            )
            .properties(width=SIZE, height=_HISTOGRAM)
        )
        return cast("altair.Chart", bars)

    def _named(
        self, frame: pl.DataFrame, name: str, colours: dict[str, str], colour: str
    ) -> altair.Chart:
        colours[name] = colour
        chart = altair.Chart(data(frame.with_columns(what=pl.lit(name))))
        return chart.encode(x=self._x())

    def _x(self) -> altair.X:
        scale = altair.Scale(domain=[0, self.limit], nice=False)
        title = None if self.above else "Predicted probability"
        return altair.X("probability:Q", scale=scale, title=title)

    def _y(self, column: str) -> altair.Y:
        scale = altair.Scale(domain=[0, self.limit], nice=False)
        axis = altair.Axis(title="Observed rate of events", minExtent=_EXTENT)
        return altair.Y(f"{column}:Q", scale=scale, axis=axis)


def _named_scale(colours: dict[str, str]) -> altair.Scale:
    return altair.Scale(domain=list(colours), range=list(colours.values()))


def at_one(channel: str) -> altair.Chart:
    """Return the line where as much is predicted as observed, across the x or the y axis."""
    rule = altair.Chart(data(pl.DataFrame({"ratio": [1.0]})))
    mark = rule.mark_rule(color=MUTED, strokeWidth=1.2, strokeDash=[3, 3])
    return cast("altair.Chart", mark.encode(**{channel: "ratio:Q"}))


def ratio_axis(low: float, high: float) -> altair.Axis:
    """Return an axis of ratios between two of them."""
    values = [value for value in _RATIOS if low <= value <= high]
    return altair.Axis(title=_RATIO, values=values, format="~g")


def ratio_scale(low: float, high: float) -> altair.Scale:
    """Return a scale on which twice is as far from 1 as half."""
    return altair.Scale(type="log", domain=[low, high], nice=False)


def ratios_shown(frame: pl.DataFrame) -> tuple[float, float]:
    """Return between which ratios a chart shows: all of them, and most of their intervals."""
    logs = frame.select(pl.col("ratio", "low", "high").replace(0.0, None).log())
    farthest, *ends = (float(value or 0) for value in logs.select(pl.all().abs().max()).row(0))
    farthest = max(farthest, log(_NARROWEST))
    reach = min(max(farthest, *ends), _INTERVAL * farthest) * 1.06
    return exp(-reach), exp(reach)


def legend(columns: int = 4, symbol: str = "circle") -> altair.Legend:
    """Return a legend that lies between title and chart."""
    return altair.Legend(
        title=None, orient="top", columns=columns, symbolOpacity=1, symbolType=symbol
    )


def layered(layers: Sequence[altair.Chart], width: int, height: int) -> altair.LayerChart:
    """Return the layers over each other, the last on top."""
    chart = altair.layer(*layers).properties(width=width, height=height)
    return cast("altair.LayerChart", chart)


def styled(chart: Drawn, title: str, note: str = "") -> Drawn:
    """Return the chart in the style of all pictures, with a title, and a smaller note below it."""
    styled: Any = chart.properties(
        title=altair.TitleParams(text=title, subtitle=[note] if note else [])
    )
    styled = (
        styled.configure(font=_FONT, background="white", padding=14)
        .configure_view(stroke=None)
        .configure_title(
            anchor="start",
            frame="group",
            fontSize=16,
            color=INK,
            subtitleColor=MUTED,
            subtitleFontSize=12,
            offset=10,
        )
        .configure_axis(
            gridColor=GRID,
            domainColor=MUTED,
            tickColor=MUTED,
            labelColor=MUTED,
            titleColor=INK,
            titleFontWeight="normal",
            titleFontSize=12,
            labelFontSize=11,
            titlePadding=8,
        )
        .configure_legend(labelColor=INK, labelFontSize=12, symbolSize=110, labelLimit=260)
    )
    return cast("Drawn", styled)


def data(frame: pl.DataFrame) -> altair.InlineData:
    """Return the rows as they stand in the file, days as text; no number of rows is too many."""
    days = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    told = frame.with_columns(pl.col(days).cast(pl.String), cs.float().fill_nan(None))
    return altair.InlineData(values=told.to_dicts())


def some(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the frame; refuse one without rows."""
    if frame.is_empty():
        raise CalibrationError(f"{name}: there is no row with a value to draw; give at least one")
    return frame


def few_at_risk(known: pl.DataFrame, end: float) -> pl.DataFrame:
    """Return from where to where too few are at risk."""
    runs = known.group_by("run", maintain_order=True).agg(
        pl.col("delay").first().alias("from"), pl.col("mature").first()
    )
    runs = runs.with_columns(to=pl.col("from").shift(-1, fill_value=end))
    return runs.filter(~pl.col("mature") & (pl.col("to") > pl.col("from"))).select("from", "to")


def line_of(curve: pl.DataFrame) -> pl.DataFrame:
    """Return probability and rate; blocks become the two ends of their level."""
    require_columns(curve, [], of="curve")
    if "probability" in curve.columns:
        require_columns(curve, ("probability", "rate"), of="curve")
        return some(curve.select("probability", "rate"), "curve")
    require_columns(curve, ("lowest", "highest", "rate"), of="curve")
    ends = [curve.select(probability=name, rate="rate") for name in ("lowest", "highest")]
    return some(pl.concat(ends).sort("probability", "rate"), "curve")


def most_rows(histogram: pl.DataFrame | None, full: float) -> float:
    """Return the score below which 99% of rows lie, if that is far below the end of the axes."""
    if histogram is None:
        return full
    require_columns(histogram, ("lowest", "highest", "share"), of="histogram")
    shares = histogram.sort("lowest").with_columns(pl.col("share").cum_sum())
    end = float(
        shares.filter(pl.col("share") >= _MOSTLY).select(pl.col("highest").min()).item() or full
    )
    return _ROOM * end if end < _RARE * full else full


def limit_of(*frames: pl.DataFrame | None) -> float:
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
    return 1.0 if highest > _TO_ONE or not highest else _ROOM * highest
