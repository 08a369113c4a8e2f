"""Candidate pairs → features: what the two sides share, how often, when, and how rare it is.

No feature comes from touchpoints: a match must not depend on having seen the ad, or attribution
would prove itself.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

import polars as pl

from warehouse.database import Warehouse

_PAIRS_AT_ONCE: Final = 250_000
FEATURES: Final = (
    "address_count", "network_count", "site_count", "device_count", "agent_count",
    "screen_count", "network_device_count", "network_screen_count", "address_device_count",
    "place_count", "language_count", "timezone_count", "week_part_count", "purchase_count",
    "system_count", "form_count", "address_days", "network_days", "device_days",
    "address_device_days", "network_screen_days", "address_gap_hours", "network_gap_hours",
    "device_gap_hours", "address_device_gap_hours", "network_screen_gap_hours",
    "network_device_gap_hours", "agent_place_gap_hours", "elsewhere_gap_hours", "address_users",
    "network_users", "device_users", "agent_users", "screen_users", "place_users",
    "address_device_users", "network_screen_users", "agent_place_users", "version_ahead",
    "user_observations", "user_days", "user_addresses", "user_devices", "address_use",
    "network_use", "device_use", "system_use", "form_use", "week_part_use", "user_idle_hours",
    "has_address", "has_site", "has_device", "has_screen", "has_language", "shared_rarity",
    "candidates", "address_candidates", "address_device_candidates",
    "network_screen_candidates", "screen_candidates", "address_share", "address_device_share",
    "network_share", "network_screen_share", "device_share", "rarity_behind", "rarity_rank",
)  # fmt: skip
"""What the pair model reads of a pair, in the order of sql/matching/pair_features.sql."""
DIRECTIONS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "shared_rarity": 1,
        "rarity_behind": 1,
        "address_users": -1,
        "address_gap_hours": -1,
        "network_gap_hours": -1,
    }
)
"""Features whose direction is certain: 1 speaks for a match the more of it there is, -1 against."""


def compare_pairs(warehouse: Warehouse) -> pl.DataFrame:
    """Return the features of the pairs that blocking found, and the comparison of their contacts.

    Returns
    -------
    DataFrame
        One row for each (signal_id, user_id), in that order: day, advertiser_id, the features, and
        email_same and phone_same: 1 or 0 where both sides show one, else null.
    """
    return pl.concat(compare_parts(warehouse)).sort("signal_id", "user_id")


def compare_parts(warehouse: Warehouse) -> Iterator[pl.DataFrame]:
    """Compare as :func:`compare_pairs` does, whole signals and some 250,000 pairs at a time.

    The result of one part holds until the next is asked for.
    """
    count = int(warehouse.query("matching/count_candidate_pairs").item())
    parts = max(1, -(-count // _PAIRS_AT_ONCE))
    warehouse.execute("matching/signal_crowds")
    warehouse.execute("matching/known_contacts")
    for part in range(parts):
        warehouse.execute("matching/pair_evidence", parts=parts, part=part)
        warehouse.execute("matching/pair_features")
        warehouse.execute("matching/pair_contacts")
        yield warehouse.query("matching/scored_pairs")
