"""What the pictures share: one palette, one style, and the square of a reliability diagram.

The colours are safe for the colour-blind and differ in lightness, so that print in grey keeps them
apart. What tells figures from each other is never the colour alone: a dash or a shape says it too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Any, Final, TypeVar, cast

import polars as pl
import polars.selectors as cs

from calibration.errors import CalibrationError

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

    def band(self, frame: pl.DataFrame, name: str, colour: str) -> None:
        """Add the area between low and high."""
        base = self._named(frame.select("probability", "low", "high"), name, colour)
        area = base.mark_area(clip=True, opacity=0.85)
        self._layers.append(area.encode(y=self._y("low"), y2="high:Q"))

    def curve(
        self, frame: pl.DataFrame, name: str, colour: str, *, dash: tuple[int, int] = (1, 0)
    ) -> None:
        """Add the line of rates."""
        line = self._named(frame, name, colour).mark_line(
            clip=True, strokeWidth=2.4, strokeDash=list(dash), strokeJoin="round"
        )
        self._layers.append(line.encode(y=self._y("rate")))

    def dots(self, frame: pl.DataFrame, name: str, colour: str) -> None:
        """Add a dot for each rate, and a rule from low to high."""
        need(frame, ("probability", "rate", "low", "high"), "bins")
        base = self._named(frame.select("probability", "rate", "low", "high"), name, colour)
        rule = base.mark_rule(clip=True, strokeWidth=1.4)
        dot = base.mark_point(filled=True, size=42, opacity=1)
        self._layers += [
            rule.encode(y=self._y("low"), y2="high:Q"),
            dot.encode(y=self._y("rate")),
        ]

    def diagonal(self) -> None:
        """Add the line on which a probability means what it says."""
        ends = pl.DataFrame({"probability": [0.0, self.limit], "rate": [0.0, self.limit]})
        base = self._named(ends, "perfectly calibrated (dotted)", MUTED)
        line = base.mark_line(strokeWidth=1.4, strokeDash=[3, 3])
        self._layers.append(line.encode(y=self._y("rate")))

    def chart(self) -> altair.LayerChart:
        """Return the layers as one chart."""
        colours = altair.Scale(domain=list(self._colours), range=list(self._colours.values()))
        colour = altair.Color("what:N", scale=colours, legend=legend(columns=2))
        coloured = [layer.encode(color=colour) for layer in self._layers]
        return layered(coloured, SIZE, SIZE)

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

    def _named(self, frame: pl.DataFrame, name: str, colour: str) -> altair.Chart:
        self._colours[name] = colour
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


def legend(columns: int = 4) -> altair.Legend:
    """Return a legend that lies between title and chart."""
    return altair.Legend(title=None, orient="top", columns=columns, symbolOpacity=1)


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


def need(frame: pl.DataFrame, columns: Iterable[str], name: str) -> None:
    """Refuse a frame without one of the columns."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise CalibrationError(
            f"{name}: no column {', '.join(missing)} among {', '.join(frame.columns)}; add it"
        )


def some(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the frame; refuse one without rows."""
    if frame.is_empty():
        raise CalibrationError(f"{name}: there is no row with a value to draw; give at least one")
    return frame
