"""Conversions and touchpoints → credit: whose the conversion is, what may earn it, what does."""

from datetime import date, datetime, timedelta
from typing import Final

from attribution.conversions import HOUR_US
from warehouse.config import AttributionConfig, MatchingConfig
from warehouse.database import Warehouse

_LOGGED_AHEAD: Final = timedelta(days=2)  # no row stands in the log longer before its event
_NEVER: Final = datetime(2100, 1, 1)  # noqa: DTZ001 -- the warehouse keeps UTC without a zone


def windows(config: AttributionConfig) -> dict[str, int]:
    """Return the lookback windows in microseconds, as parameters of the eligibility statements."""
    by_kind = {
        "click_window_us": config.click_window_hours * HOUR_US,
        "engaged_view_window_us": config.engaged_view_window_hours * HOUR_US,
        "view_window_us": config.view_window_hours * HOUR_US,
    }
    return {**by_kind, "longest_window_us": max(by_kind.values())}


def update_credits(
    warehouse: Warehouse,
    day: date,
    *,
    run_id: str,
    matching: MatchingConfig,
    attribution: AttributionConfig,
) -> None:
    """Credit the conversions worked out anew, and those that the day's touches could have earned.

    Replaces their rows of path_touches and credits and writes what changed to restatements. Where
    only the value of an old order was adjusted its stored path serves again: looking for it would
    mean reading the touchpoints of its days.
    """
    lookback = windows(attribution)
    methods = [str(method) for method in matching.order]
    _find_reached(warehouse, day, lookback["longest_window_us"])
    warehouse.execute("attribution/work_conversions", methods=methods)
    _find_paths(warehouse, lookback)
    warehouse.execute("attribution/no_credits")
    for model in attribution.models:
        warehouse.execute(f"attribution/{model}")  # each model is one statement, of its name
    warehouse.execute("attribution/old_credits")
    warehouse.execute("attribution/delete_credits")
    warehouse.execute("attribution/insert_credits")
    warehouse.execute("attribution/insert_restatements", run_id=run_id)


def _find_reached(warehouse: Warehouse, day: date, longest_window_us: int) -> None:
    """Make reached_conversions, from the conversions since the day's earliest touch."""
    first = warehouse.query("attribution/touch_span", day=day).item() or _NEVER
    warehouse.execute(
        "attribution/reached_conversions",
        day=day,
        longest_window_us=longest_window_us,
        first_event_day=first.date(),
        first_log_day=first.date() - _LOGGED_AHEAD,
    )


def _find_paths(warehouse: Warehouse, lookback: dict[str, int]) -> None:
    """Make eligible_touches and replace the rows of path_touches."""
    longest_window_us = lookback.pop("longest_window_us")
    warehouse.execute("attribution/kept_paths")
    warehouse.execute("attribution/sought_paths")
    span = warehouse.query("attribution/sought_span", longest_window_us=longest_window_us)
    warehouse.execute("attribution/eligible_touches", **lookback, **span.row(0, named=True))
    warehouse.execute("attribution/delete_path_touches")
    warehouse.execute("attribution/insert_path_touches")
