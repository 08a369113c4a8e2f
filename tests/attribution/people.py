"""Users of whom every other one converts."""

import numpy as np
import polars as pl

from attribution.conversions import DAY_US, HOUR_US
from attribution.histories import Histories


def people(count: int, *, weight: float = 1.0, probability: float = 1.0) -> Histories:
    """Return users of whom every other one converts on the second of two days."""
    numbers = np.arange(count)
    won = numbers[::2]
    return Histories.of(
        pl.DataFrame({"history": numbers, "user": numbers, "advertiser_id": "a1",
                      "segment": "all", "weight": weight}),
        pl.DataFrame({"history": numbers, "campaign_id": "c1", "kind": "impression",
                      "time_us": numbers * 1000, "shown": True}),
        pl.DataFrame({"history": won, "time_us": DAY_US + won * HOUR_US // 10,
                      "probability": probability, "value": 1.0}),
        start_us=0,
        end_us=2 * DAY_US,
    )  # fmt: skip
