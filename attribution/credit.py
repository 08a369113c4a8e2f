"""Conversions and touchpoints → credit: whose the conversion is, what may earn it, what does."""

from datetime import date

from attribution.conversions import HOUR_US
from warehouse.config import AttributionConfig, MatchingConfig
from warehouse.database import Warehouse


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

    Replaces their rows of credits and writes what changed to restatements.
    """
    lookback = windows(attribution)
    longest = lookback["longest_window_us"]
    methods = [str(method) for method in matching.order]
    warehouse.execute("attribution/reached_conversions", day=day, longest_window_us=longest)
    warehouse.execute("attribution/work_conversions", methods=methods)
    warehouse.execute("attribution/eligible_touches", **lookback)
    warehouse.execute("attribution/last_touch")
    warehouse.execute("attribution/old_credits")
    warehouse.execute("attribution/delete_credits")
    warehouse.execute("attribution/insert_credits")
    warehouse.execute("attribution/insert_restatements", run_id=run_id)
