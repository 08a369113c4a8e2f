"""Signals → conversions: repeats joined, retractions and restatements applied.

Signals of one advertiser, event name and order within the deduplication window of the first are one
conversion (Meta's Conversions API deduplicates by event name and event id within 48 hours, the
first wins). A retraction sets the value to 0 for good; the newest restatement replaces the value
(as Google Ads does with conversion adjustments, by order id).
"""

from datetime import date
from typing import Final

from warehouse.attribution_config import AttributionConfig
from warehouse.database import Warehouse

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


def update_conversions(warehouse: Warehouse, day: date, config: AttributionConfig) -> None:
    """Work out anew the orders that the signals of one log day, or new matches, concern.

    Makes the temporary tables new_conversions, stale_conversions and stale_users, and replaces the
    rows of conversions and conversion_signals.
    """
    warehouse.execute("attribution/touched_signals", day=day)
    warehouse.execute("attribution/affected_orders")
    warehouse.execute("attribution/order_signals")
    warehouse.execute("attribution/first_signals")
    dedup_us = config.dedup_window_hours * HOUR_US
    while warehouse.execute("attribution/add_first_signals", dedup_us=dedup_us):
        pass  # an order id that is used again after its window is another conversion
    warehouse.execute("attribution/signal_roles")
    warehouse.execute("attribution/new_conversions")
    warehouse.execute("attribution/stale_conversions")
    warehouse.execute("attribution/stale_users")
    warehouse.execute("attribution/delete_conversions")
    warehouse.execute("attribution/delete_conversion_signals")
    warehouse.execute("attribution/insert_conversions")
    warehouse.execute("attribution/insert_conversion_signals")
