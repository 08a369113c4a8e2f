"""The iPinYou real-time-bidding log, with the browser's id of the later part held back.

The earlier part of the log is what the platform knows: whom it saw, from which network and
browser, and which ads it showed. The later impressions and clicks come as signals without any
identifier, to be matched by IP prefix, user agent, place and time; the id that the log has for them
is the truth.
"""

from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.errors import ConfigError, InputFileError
from warehouse.importers.log_folder import require_absent_or_empty, write_log_folder
from warehouse.importers.published_file import read_published

_FIELD_COUNT: Final = 24
_BID_ID: Final = 0
_FIELDS: Final = {
    "timestamp": 1,
    "log_type": 2,
    "user_id": 3,
    "user_agent": 4,
    "ip": 5,
    "region": 6,
    "city": 7,
    "url": 10,
    "ad_id": 18,
    "paying_price": 20,
    "advertiser_id": 22,
}
_LOG_TYPES: Final = {"impression": "1", "click": "2"}
_MISSING: Final = ["", "null", "Na"]
_UNKNOWN_PLACE: Final = "0"  # region and city both have it, or neither: no place was found
_CHINA_TIME: Final = pl.duration(hours=8)  # ahead of UTC; no daylight saving since 1991
_FEN_PER_MILLE: Final = 1000 * 100  # a price is fen for a thousand impressions, a yuan 100 fen


def import_ipinyou(
    impressions: Path, clicks: Path | None, out: Path, *, activity_share: float = 0.5
) -> dict[str, int]:
    """Turn an iPinYou log of season 2 or 3 into a log folder with a truth to evaluate against.

    Times are converted from China time to UTC. The first `activity_share` of the span from the
    first to the last event is the platform's own knowledge: each impression gives one activity row
    and one touchpoint, each click one touchpoint. All later events become signals that carry no
    identifier; truth_match has their user id, also where no earlier row showed that user.

    An event's id is its bid id, followed by ``:click`` for a click. The published log repeats some
    bid ids at another time: such rows are written as they are, in order of time, so that ingestion
    refuses and reports the repeats; truth_match has the first. The log knows no campaign, so
    campaign_id is the advertiser's id: one campaign each; ad_id is the creative's.
    The cost of an impression is its paying price, converted from fen for a thousand impressions to
    yuan; a click costs nothing more. Missing values (``null``, ``Na``) and the place code 0, which
    means unknown, become null. Blank lines are no rows.

    A line that is no event (not 24 fields, a timestamp that is none, another log type, a price that
    is no number) is passed on as a signal without a time, in the folder of the day on which the
    later part begins: ingestion refuses it by its rule, and it has no truth.

    Parameters
    ----------
    impressions : Path
        Impression log: 24 tab-separated columns without a header; plain, gzip or bzip2.
    clicks : Path or None
        Click log in the same layout.
    out : Path
        The log folder to write, absent or empty.
    activity_share : float
        Part of the log's span that the platform knows, between 0 and 1, both excluded.

    Returns
    -------
    dict of str to int
        Rows written for activity, touchpoints, signals and truth_match.

    Raises
    ------
    InputFileError
        If a file is damaged, empty or in another layout, or `out` is taken.
    ConfigError
        If `activity_share` is not between 0 and 1.

    References
    ----------
    Zhang, Yuan, Wang and Shen, "Real-Time Bidding Benchmarking with iPinYou Dataset",
    arXiv:1407.7073, 2014: the columns and their units.
    """
    if not 0 < activity_share < 1:
        raise ConfigError(
            f"activity_share: {activity_share} is not between 0 and 1. Give for example 0.5."
        )
    require_absent_or_empty(out)
    events = _read_events(impressions, "impression")
    if clicks is not None:
        events = pl.concat([events, _read_events(clicks, "click")])
    events = events.sort("event_time", nulls_last=True, maintain_order=True)
    cut = _time_after_share(events, activity_share)
    known = events.filter(pl.col("event_time") < cut)
    later = events.filter((pl.col("event_time") < cut).fill_null(value=False).not_())
    logs = {
        "activity": _observe(known.filter(pl.col("kind") == "impression")),
        "touchpoints": _touch(known),
        "signals": _signal(later),
    }
    return write_log_folder(out, logs, _truth(later), undated=cut.date())


def _read_events(path: Path, kind: str) -> pl.DataFrame:
    """Return one row a line, with a null event_time where the line is no event of this kind."""
    lines = pl.read_lines(read_published(path), row_index_name="number", row_index_offset=1)
    fields = pl.col("line").str.split("\t")
    whole = fields.list.len() == _FIELD_COUNT
    # In a line with too few or too many fields only the first is sure to be what it should be.
    parsed = lines.filter(pl.col("line").str.strip_chars() != "").select(
        "number",
        width=fields.list.len(),
        bid_id=_present(fields.list.get(_BID_ID)),
        **{
            name: _present(pl.when(whole).then(fields.list.get(position, null_on_oob=True)))
            for name, position in _FIELDS.items()
        },
    )
    times = _parse_times(pl.col("timestamp"))
    is_kind = pl.col("log_type") == _LOG_TYPES[kind]
    _require_layout(parsed, times, is_kind, path, kind)
    price = pl.col("paying_price").cast(pl.Float64, strict=False)
    sound = is_kind & (price.is_not_null() | pl.col("paying_price").is_null())
    return parsed.select(
        "user_id",
        "user_agent",
        "ip",
        "url",
        "ad_id",
        "advertiser_id",
        pl.col("region", "city").replace(_UNKNOWN_PLACE, None),
        event_id=pl.col("bid_id") + (":click" if kind == "click" else ""),
        event_time=pl.when(sound).then(times),
        kind=pl.lit(kind),
        cost=price / _FEN_PER_MILLE if kind == "impression" else pl.lit(None, pl.Float64),
    )


def _present(field: pl.Expr) -> pl.Expr:
    return pl.when(field.is_in(_MISSING).not_()).then(field)


def _parse_times(text: pl.Expr) -> pl.Expr:
    """Return ``yyyymmddHHMMSSmmm`` in China time as UTC, null where it is anything else."""
    digits = pl.when(text.str.contains("^[0-9]{17}$")).then(text)
    return digits.str.to_datetime("%Y%m%d%H%M%S%3f", time_unit="us", strict=False) - _CHINA_TIME


def _require_layout(
    parsed: pl.DataFrame, times: pl.Expr, is_kind: pl.Expr, path: Path, kind: str
) -> None:
    """Refuse a file most of whose lines are not what they should be: it is another file."""
    faults = {
        f"most lines have not {_FIELD_COUNT} tab-separated fields": (
            pl.col("width") == _FIELD_COUNT,
            pl.format("{} fields", "width"),
        ),
        "most timestamps are not yyyymmddHHMMSSmmm": (
            times.is_not_null(),
            pl.format('"{}"', pl.col("timestamp").fill_null("")),
        ),
        f"most lines are not of log type {_LOG_TYPES[kind]} ({kind})": (
            is_kind,
            pl.format('log type "{}"', pl.col("log_type").fill_null("")),
        ),
    }
    for fault, (right, found) in faults.items():
        wrong = parsed.filter(right.fill_null(value=False).not_())
        if 2 * wrong.height >= parsed.height:
            number, what = wrong.select("number", found.alias("found")).row(0)
            raise InputFileError(
                f"{path}, line {number}: {what}; {fault}. "
                f"Give the {kind} log of iPinYou season 2 or 3 as it was published."
            )


def _time_after_share(events: pl.DataFrame, share: float) -> datetime:
    first, last = events.select(
        first=pl.col("event_time").min(), last=pl.col("event_time").max()
    ).row(0)
    cut: datetime = first + (last - first) * share
    return cut


def _observe(impressions: pl.DataFrame) -> pl.DataFrame:
    return impressions.select(
        "user_id", "event_time", "ip", "user_agent", "region", "city", *_place_of_all()
    )


def _touch(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(
        "event_time",
        "user_id",
        "kind",
        "advertiser_id",
        "ad_id",
        "cost",
        touch_id="event_id",
        campaign_id="advertiser_id",
        currency=pl.when(pl.col("cost").is_not_null()).then(pl.lit("CNY")),
    )


def _signal(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(
        "event_time",
        "advertiser_id",
        "ip",
        "user_agent",
        "region",
        "city",
        "url",
        *_place_of_all(),
        signal_id="event_id",
        event_name="kind",
    )


def _place_of_all() -> list[pl.Expr]:
    return [pl.lit("CN").alias("country"), pl.lit("Asia/Shanghai").alias("timezone")]


def _truth(events: pl.DataFrame) -> pl.DataFrame:
    """Return whose each signal is; an event without a user id is left out, for it is not known."""
    known = events.select("event_time", "user_id", signal_id="event_id").drop_nulls()
    return known.unique("signal_id", keep="first", maintain_order=True).drop("event_time")
