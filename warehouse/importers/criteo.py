"""Criteo's display journeys: the published log, or the journeys that were cut from it.

Both layouts give the same logs. A user is known by a cookie, seen with its first impression, and a
conversion is sent with that cookie, so matching is certain and what is studied is attribution.
"""

from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

import polars as pl

from warehouse.errors import InputFileError
from warehouse.importers.log_folder import require_absent_or_empty, write_log_folder
from warehouse.importers.published_file import read_published

# Only what is read: attribution is a label of the publisher's own rule, and cpo and the journeys'
# costs carry the bidder's forecast of the conversion: they would leak it into the touchpoints.
_LOG_COLUMNS: Final = (
    "timestamp", "uid", "campaign", "conversion", "conversion_timestamp", "conversion_id", "click",
    "cost",
)  # fmt: skip
_JOURNEY_COLUMNS: Final = ("user", "converted", "times", "campaigns")
_PUBLISHED_HEADERS: Final = (
    "the published log (tabs: timestamp uid campaign conversion conversion_timestamp conversion_id "
    "attribution click click_pos click_nb cost cpo time_since_last_click cat1 ... cat9) "
    "and journeys (commas: split,user,converted,times,campaigns,costs,cpo)"
)
_NO_CONVERSION: Final = "-1"
_LONGEST_LOG: Final = 366 * 86_400  # seconds; the log is of 30 days, with 30 more to convert
_MICROSECONDS: Final = 1_000_000


def import_criteo(journeys: Path, out: Path, *, start: date = date(2017, 1, 1)) -> dict[str, int]:
    """Turn a Criteo attribution log, or journeys cut from it, into a log folder.

    The header tells the layout: the published log with one impression a line, or journeys with one
    line each and lists of times and campaigns. In both, seconds count from `start`, 00:00 UTC.

    Each impression gives one touchpoint of advertiser ``criteo`` (kind click where the log says
    that it was clicked), numbered for each user in the order of the file. Its cost is the log's:
    a transformed price without a unit, so there is no currency; journeys have none. Each user
    gives one activity row, with its cookie, at its first impression. Each conversion gives one
    signal, event_name ``purchase``, with the cookie of its user: in the log one for each
    conversion_id, at conversion_timestamp; in journeys one for each converted journey, a second
    after its last impression, for they have no conversion times. A conversion_id that the log
    gives to several users or times is written once for each, so that ingestion refuses and reports
    the repeats; truth_match has the first. Journeys of one user are one user's path.

    Parameters
    ----------
    journeys : Path
        The published file, or the journeys file; plain, gzip or bzip2.
    out : Path
        The log folder to write, absent or empty.
    start : date
        The day on which the log begins; the publisher counts seconds from an undisclosed one.

    Returns
    -------
    dict of str to int
        Rows written for activity, touchpoints, signals and truth_match.

    Raises
    ------
    InputFileError
        If the file is damaged, empty, in another layout or inconsistent, or `out` is taken.

    References
    ----------
    Diemert, Meynet, Galland and Lefortier, "Attribution Modeling Increases Efficiency of Bidding
    in Display Advertising", AdKDD 2017, arXiv:1707.06409: the log.
    Yao et al., "CausalMTA: Eliminating the User Confounding Bias for Causal Multi-touch
    Attribution", KDD 2022, arXiv:2201.00689: the journeys.
    """
    require_absent_or_empty(out)
    text = read_published(journeys)
    names = BytesIO(text).readline().decode().rstrip("\r\n")
    if set(_LOG_COLUMNS) <= set(names.split("\t")):
        rows = _read_columns(text, "\t", _LOG_COLUMNS, journeys)
        touches, conversions = _read_log(rows, journeys)
    elif set(_JOURNEY_COLUMNS) <= set(names.split(",")):
        rows = _read_columns(text, ",", _JOURNEY_COLUMNS, journeys)
        touches, conversions = _read_journeys(rows, journeys)
    else:
        raise InputFileError(
            f'{journeys}, line 1: the header is "{_shorten(names)}". '
            f"Give a file in a known layout: {_PUBLISHED_HEADERS}."
        )
    logs = {
        "activity": _observe(touches, start),
        "touchpoints": _touch(touches, start),
        "signals": _signal(conversions, start),
    }
    truth = conversions.unique("signal_id", keep="first", maintain_order=True)
    return write_log_folder(out, logs, truth.select("signal_id", _user_id()), undated=start)


def _read_columns(
    text: bytes, separator: str, columns: tuple[str, ...], path: Path
) -> pl.DataFrame:
    """Return some columns as strings, and the number of the line that each row was read from."""
    _require_rectangle(text, separator, path)
    rows = pl.read_csv(
        text,
        separator=separator,
        columns=list(columns),
        quote_char=None,
        infer_schema=False,
        row_index_name="line",
        row_index_offset=2,
    )
    if rows.is_empty():
        raise InputFileError(f"{path}: has a header but no rows. Download the file again.")
    return rows


def _require_rectangle(text: bytes, separator: str, path: Path) -> None:
    """Refuse a file with a longer or shorter line: its columns would be read shifted or as null."""
    fields = pl.col("line").str.count_matches(separator, literal=True) + 1
    expected = BytesIO(text).readline().count(separator.encode()) + 1
    lines = pl.scan_lines(text, row_index_name="number", row_index_offset=1)
    wrong = lines.select("number", fields=fields).filter(pl.col("fields") != expected).head(1)
    for number, found in wrong.collect(engine="streaming").rows():
        raise InputFileError(
            f"{path}, line {number}: {found} fields, but the header has {expected}. "
            "Download the file again."
        )


def _read_log(rows: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the touches and the conversions of the published log."""
    for name in ("uid", "campaign", "conversion_id"):
        _require(rows, pl.col(name).is_not_null(), name, "an id", path)
    _require(
        rows, pl.col("cost").cast(pl.Float64, strict=False).is_not_null(), "cost", "a number", path
    )
    for name in ("conversion", "click"):
        _require(rows, pl.col(name).is_in(["0", "1"]), name, "0 or 1", path)
    _require_seconds(rows, "timestamp", path)
    touches = rows.select(
        user="uid",
        campaign="campaign",
        seconds=pl.col("timestamp").cast(pl.Int64),
        kind=pl.when(pl.col("click") == "1").then(pl.lit("click")).otherwise(pl.lit("impression")),
        cost=pl.col("cost").cast(pl.Float64),
    )
    converted = rows.filter(pl.col("conversion") == "1")
    named = pl.col("conversion_id") != _NO_CONVERSION
    _require(converted, named, "conversion_id", "the id of a conversion", path)
    _require_seconds(converted, "conversion_timestamp", path)
    conversions = converted.select(
        signal_id="criteo-conversion:" + pl.col("conversion_id"),
        order_id="conversion_id",
        user="uid",
        seconds=pl.col("conversion_timestamp").cast(pl.Int64),
    ).unique(maintain_order=True)
    return touches, conversions


def _read_journeys(rows: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the touches and the conversions of a file of journeys."""
    _require(rows, pl.col("user").is_not_null(), "user", "an id", path)
    _require(rows, pl.col("converted").is_in(["0", "1"]), "converted", "0 or 1", path)
    lists = rows.with_columns(pl.col("times", "campaigns").str.split(" "))
    alike = pl.col("times").list.len() == pl.col("campaigns").list.len()
    _require(lists, alike, "campaigns", "as long a list as times", path)
    impressions = lists.explode("times", "campaigns")
    _require_seconds(impressions, "times", path)
    _require(impressions, pl.col("campaigns") != "", "campaigns", "a list of ids", path)
    touches = impressions.select(
        "line",
        "user",
        "converted",
        campaign="campaigns",
        seconds=pl.col("times").cast(pl.Int64),
        kind=pl.lit("impression"),
        cost=pl.lit(None, pl.Float64),
    )
    conversions = (
        touches.filter(pl.col("converted") == "1")
        .group_by("line", "user", maintain_order=True)
        .agg(seconds=pl.col("seconds").max() + 1)
        .with_columns(
            signal_id=pl.format("{}:conversion:{}", _user_id(), _number_by_user()),
            order_id=pl.lit(None, pl.String),
        )
    )
    return touches, conversions


def _require(rows: pl.DataFrame, right: pl.Expr, column: str, expected: str, path: Path) -> None:
    """Refuse the file if in some row the column is wrong, naming the first such line."""
    wrong = rows.filter(right.fill_null(value=False).not_())
    if wrong.is_empty():
        return
    line, found = wrong.select("line", column).row(0)
    what = "nothing" if found is None else f'"{_shorten(str(found))}"'
    raise InputFileError(
        f"{path}, line {line}, column {column}: {what} is not {expected}. Download the file again."
    )


def _require_seconds(rows: pl.DataFrame, column: str, path: Path) -> None:
    seconds = pl.col(column).cast(pl.Int64, strict=False)
    expected = "a whole number of seconds within a year of the start"
    _require(rows, seconds.is_between(0, _LONGEST_LOG), column, expected, path)


def _shorten(text: str) -> str:
    return text if len(text) <= 100 else text[:100] + "..."


def _observe(touches: pl.DataFrame, start: date) -> pl.DataFrame:
    first = touches.group_by("user", maintain_order=True).agg(pl.col("seconds").min())
    return first.select(_user_id(), _event_time(start), _cookie_id())


def _touch(touches: pl.DataFrame, start: date) -> pl.DataFrame:
    return touches.select(
        _user_id(),
        _event_time(start),
        "kind",
        "cost",
        touch_id=pl.format("{}:{}", _user_id(), _number_by_user()),
        advertiser_id=pl.lit("criteo"),
        campaign_id="campaign",
    )


def _signal(conversions: pl.DataFrame, start: date) -> pl.DataFrame:
    return conversions.select(
        "signal_id",
        "order_id",
        _event_time(start),
        _cookie_id(),
        advertiser_id=pl.lit("criteo"),
        event_name=pl.lit("purchase"),
    )


def _user_id() -> pl.Expr:
    return ("criteo-" + pl.col("user")).alias("user_id")


def _cookie_id() -> pl.Expr:
    return ("cookie-" + pl.col("user")).alias("cookie_id")


def _number_by_user() -> pl.Expr:
    return pl.col("user").cum_count().over("user")


def _event_time(start: date) -> pl.Expr:
    midnight = datetime(start.year, start.month, start.day, tzinfo=UTC)
    begin = int(midnight.timestamp()) * _MICROSECONDS
    return (begin + pl.col("seconds") * _MICROSECONDS).cast(pl.Datetime("us")).alias("event_time")
