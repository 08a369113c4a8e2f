"""The columns of each log and the rules a row must keep to be stored.

The schemas are dataframely classes: `filter` splits a frame into the rows that keep every rule and
the rows that break one, named. What the columns mean is told in docs/logs.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import dataframely as dy
import polars as pl
import pycountry

from warehouse.privacy import holds_email, is_phone

EARLIEST: Final = pl.datetime(2000, 1, 1)  # before any ad platform: a clock that was never set
LATEST: Final = pl.datetime(2100, 1, 1)  # after anyone's schedule: seconds read as milliseconds
CLOCK_SKEW: Final = pl.duration(days=1)  # an event may lie this far past the end of its log day

CURRENCIES: Final = sorted(currency.alpha_3 for currency in pycountry.currencies)
KINDS: Final = ["impression", "engaged_view", "click"]
ARMS: Final = ["treatment", "control"]
ADJUSTMENTS: Final = ["retraction", "restatement"]
CONSENTS: Final = ["granted", "denied"]


class Surface(StrEnum):
    """Where on the platform an ad was shown."""

    FEED = "feed"
    SHORT_VIDEO = "short_video"
    LIVE = "live"
    SEARCH = "search"
    SHOP = "shop"


def _plausible(expr: pl.Expr) -> pl.Expr:
    return (expr >= EARLIEST) & (expr < LATEST)


def _identifier(*, nullable: bool = True) -> dy.String:
    """Return a column for an id: short, not empty, never an e-mail address or phone in clear."""
    return dy.String(
        nullable=nullable,
        min_length=1,
        max_length=512,
        check={
            "holds_email": lambda expr: ~holds_email(expr),
            "is_phone": lambda expr: ~is_phone(expr),
        },
    )


def _moment(*, nullable: bool = True) -> dy.Datetime:
    return dy.Datetime(nullable=nullable, time_unit="us", check={"out_of_range": _plausible})


def _text() -> dy.String:
    return dy.String(nullable=True, max_length=8192)


def _amount() -> dy.Float64:
    """Return a column for money; micros of the largest must fit a 64-bit integer."""
    return dy.Float64(nullable=True, min=0, max=9e11, allow_inf=False, allow_nan=False)


def _one_of(values: list[str]) -> dy.String:
    return dy.String(nullable=True, check={"unknown_value": lambda expr: expr.is_in(values)})


class _Logged(dy.Schema):
    """Where a row was read: its log day, file and row."""

    log_day = dy.Date(nullable=True)
    source_row = dy.Int64(nullable=False)


class Activity(_Logged):
    """One observation of a known user."""

    user_id = _identifier(nullable=False)
    event_time = _moment(nullable=False)
    ip = _text()
    user_agent = _text()
    screen = _text()
    language = _text()
    country = _text()
    region = _text()
    city = _text()
    timezone = _text()
    email_sha256 = dy.String(nullable=True, regex="^[0-9a-fA-F]{64}$")
    phone_sha256 = dy.String(nullable=True, regex="^[0-9a-fA-F]{64}$")
    device_id = _text()
    cookie_id = _text()

    @dy.rule()
    def event_time_after_log_day(cls) -> pl.Expr:  # noqa: D102, N805
        return _before_end_of(pl.col("log_day"))


class Touchpoints(_Logged):
    """One impression, engaged view or click."""

    touch_id = _identifier(nullable=False)
    event_time = _moment(nullable=False)
    user_id = _identifier(nullable=False)
    kind = dy.String(nullable=False, check={"unknown_value": lambda expr: expr.is_in(KINDS)})
    advertiser_id = _identifier(nullable=False)
    campaign_id = _identifier(nullable=False)
    ad_id = _identifier()
    surface = _one_of([str(surface) for surface in Surface])
    creator_id = _identifier()
    click_id = _text()
    cost = _amount()
    currency = _one_of(CURRENCIES)
    arm = _one_of(ARMS)

    @dy.rule()
    def event_time_after_log_day(cls) -> pl.Expr:  # noqa: D102, N805
        return _before_end_of(pl.col("log_day"))


class Signals(_Logged):
    """One event an advertiser sends."""

    signal_id = _identifier(nullable=False)
    event_time = _moment(nullable=False)
    advertiser_id = _identifier(nullable=False)
    event_name = _identifier(nullable=False)
    received_time = _moment()
    order_id = _identifier()
    value = _amount()
    currency = _one_of(CURRENCIES)
    adjustment = _one_of(ADJUSTMENTS)
    click_id = _text()
    cookie_id = _text()
    device_id = _text()
    external_id = _text()
    email = _text()
    phone = _text()
    ip = _text()
    user_agent = _text()
    screen = _text()
    language = _text()
    country = _text()
    region = _text()
    city = _text()
    timezone = _text()
    url = _text()
    consent = _one_of(CONSENTS)

    @dy.rule()
    def event_time_after_log_day(cls) -> pl.Expr:  # noqa: D102, N805
        return _before_end_of(pl.col("log_day"))

    @dy.rule()
    def adjustment_without_order_id(cls) -> pl.Expr:  # noqa: D102, N805
        return pl.col("adjustment").is_null() | pl.col("order_id").is_not_null()


class Costs(_Logged):
    """What one campaign spent on one day."""

    date = dy.Date(
        nullable=False,
        check={"out_of_range": lambda expr: _plausible(expr.cast(pl.Datetime("us")))},
    )
    campaign_id = _identifier(nullable=False)
    cost = dy.Float64(nullable=False, min=0, max=9e11, allow_inf=False, allow_nan=False)
    currency = _one_of(CURRENCIES)


def _before_end_of(log_day: pl.Expr) -> pl.Expr:
    latest = log_day.cast(pl.Datetime("us")) + pl.duration(days=1) + CLOCK_SKEW
    return log_day.is_null() | (pl.col("event_time") < latest)


@dataclass(frozen=True)
class LogTable:
    """One kind of log: its schema, and how its rows are dated and told apart.

    Attributes
    ----------
    name : str
        Name of the table in the warehouse and beginning of the file names in a log folder.
    schema : type[dy.Schema]
        The columns and their rules.
    dated_by : tuple of str
        The columns that date a row where no folder does; the first that is not null counts.
    key : tuple of str
        The columns that no two rows may share; empty where repeats mean nothing.
    secret : tuple of str
        Columns that may hold a raw identifier of a person, blanked in every rejected row.
    """

    name: str
    schema: type[dy.Schema]
    dated_by: tuple[str, ...]
    key: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()

    @cached_property
    def columns(self) -> dict[str, pl.DataType]:
        """Name and type of each log column, in the order of the documentation."""
        return {
            name: column.dtype
            for name, column in self.schema.columns().items()
            if name not in _Logged.columns()
        }

    @cached_property
    def required(self) -> list[str]:
        """Names of the columns that every file must have."""
        columns = self.schema.columns()
        return [name for name in self.columns if not columns[name].nullable]


TABLES: Final[Mapping[str, LogTable]] = {
    table.name: table
    for table in (
        LogTable(
            "activity",
            Activity,
            dated_by=("event_time",),
            secret=("email_sha256", "phone_sha256", "device_id", "cookie_id", "ip"),
        ),
        LogTable(
            "touchpoints",
            Touchpoints,
            dated_by=("event_time",),
            key=("touch_id",),
            secret=("click_id",),
        ),
        LogTable(
            "signals",
            Signals,
            dated_by=("received_time", "event_time"),
            key=("signal_id",),
            secret=(
                "click_id", "cookie_id", "device_id", "external_id", "email", "phone", "ip", "url",
            ),
        ),
        LogTable("costs", Costs, dated_by=("date",), key=("date", "campaign_id")),
    )
}  # fmt: skip
