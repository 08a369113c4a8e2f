"""Which users compete for a signal: those who share its rarest tokens, within a budget.

A token is what an observation shows of where and how it was made: its address, network and site,
the device, its screen, and combinations of these. A token that few users share says much and brings
few candidates; so each signal takes its tokens from the rarest on, as long as the users that they
bring stay within its budget, and candidates stay bounded however many users there are.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

import polars as pl

from matching.bands import find_bands
from warehouse.config import ModelConfig
from warehouse.database import Warehouse

# How many users a token may bring in place of one of weight 1: where the device and the address
# agree, a candidate is likelier than where a town and a kind of device do.
WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "purchase": 8.0,
        "address_device": 8.0,
        "address": 4.0,
        "site": 4.0,
        "network_screen": 2.0,
        "network_device": 1.0,
        "agent_place": 1.0,
        "device_place": 0.7,
        "network": 0.5,
        "band": 0.1,
    }
)


_MOST_SIGHTINGS: Final = 1000  # of one user in the window; one in 10,000 people has more


def find_candidates(warehouse: Warehouse, day: date, config: ModelConfig) -> None:
    """Find the users who compete for the signals of the table chosen_signals, all of one log day.

    Makes the temporary table candidate_pairs, and those that pairs are compared by: model_signals,
    signal_tokens, window_activity, active_users, user_tokens, token_users and blocking_keys; from
    what was seen in the `lookback_days` that end with `day`.
    """
    first = day - timedelta(days=config.lookback_days - 1)
    warehouse.execute("matching/identified_signals", first_day=first, last_day=day)
    warehouse.execute("matching/order_sights", first_day=first, last_day=day)
    warehouse.execute("matching/sightings")
    warehouse.execute("matching/model_signals", day=day)
    warehouse.execute("matching/signal_tokens")
    warehouse.execute("matching/window_activity", first_day=first, last_day=day)
    warehouse.execute("matching/delete_busy_activity", most=_MOST_SIGHTINGS)
    warehouse.execute("matching/active_users")
    warehouse.execute("matching/user_tokens")
    warehouse.execute("matching/token_users")
    warehouse.execute("matching/token_weights")
    find_bands(warehouse)
    kinds = pl.DataFrame({"kind": list(WEIGHTS), "weight": list(WEIGHTS.values())})
    with warehouse.frame("blocking_kinds", kinds):
        warehouse.execute("matching/blocking_keys", budget=config.candidates)
    warehouse.execute("matching/candidate_pairs")
