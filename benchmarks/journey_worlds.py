"""Simulated worlds as histories, with the true matches and the incremental conversions.

Of each world the logs are read as an engine with perfect matches would: signals of one order are
one conversion, retracted ones are none, and conversions of people who are no users are left out.
A user's segment is his quarter of the users by logged activity.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import polars as pl

from attribution.histories import Histories
from simulation import WorldConfig, simulate

_MANY: Final = 25  # advertisers of the world of 100 campaigns
WORLDS: Final = {
    "plain": {},
    "no holdouts": {"holdout_share": 0.0},
    "confounded": {
        "targeting": {
            "feed": 0.45, "short_video": 0.35, "live": 0.55, "search": 0.8, "shop": 0.75,
        },
        "retargeting": 1.0, "episode_opportunities": 0.7, "click_intent": 0.7,
    },
    "a third missing": {},
    "100 campaigns": {
        "currencies": ("USD",) * _MANY,
        "median_values": tuple(20.0 + 6 * row for row in range(_MANY)),
        "campaign_effects": tuple(
            round(0.05 + 1.5 * ((row * 37) % 100) / 100, 3) for row in range(4 * _MANY)
        ),
        "opportunities_per_user_day": 0.8,
    },
}  # fmt: skip
"""Names of worlds, and the rates in which they differ from the simulator's own."""
MISSING: Final = 0.3
_READ: Final = """
CREATE TEMP TABLE people AS
SELECT user_id, ntile(4) OVER (ORDER BY count(*), user_id) AS quarter,
    row_number() OVER (ORDER BY user_id) AS number
FROM read_parquet($logs || '/date=*/activity*.parquet') GROUP BY user_id
"""
_TOUCHES: Final = """
CREATE TEMP TABLE seen AS
SELECT touch_id, user_id, advertiser_id, campaign_id, kind, epoch_us(event_time) AS time_us,
    coalesce(arm, 'treatment') <> 'control' AS shown
FROM read_parquet($logs || '/date=*/touchpoints*.parquet')
"""
_CONVERSIONS: Final = """
CREATE TEMP TABLE found AS
WITH signals AS (
    SELECT DISTINCT ON (signal_id) signals.*, truth.user_id
    FROM read_parquet($logs || '/date=*/signals*.parquet') AS signals
    JOIN read_parquet($logs || '/truth_match.parquet') AS truth USING (signal_id)
),
retracted AS (
    SELECT DISTINCT advertiser_id, order_id FROM signals WHERE adjustment = 'retraction'
)
SELECT coalesce(order_id, signal_id) AS conversion_id, advertiser_id,
    any_value(user_id) AS user_id, min(epoch_us(event_time)) AS time_us,
    coalesce(any_value(value), 0.0) AS value
FROM signals ANTI JOIN retracted USING (advertiser_id, order_id)
WHERE adjustment IS NULL AND hash(coalesce(order_id, signal_id)) % 1000 >= 1000 * $missing
GROUP BY 1, 2
HAVING any_value(user_id) IS NOT NULL
"""
_HISTORIES: Final = """
CREATE TEMP TABLE kept AS
WITH pairs AS (
    SELECT user_id, advertiser_id FROM seen UNION SELECT user_id, advertiser_id FROM found
)
SELECT row_number() OVER (ORDER BY user_id, advertiser_id) AS history, user_id, advertiser_id,
    coalesce(number, 0) AS "user", coalesce('quarter ' || quarter, 'quarter 1') AS segment,
    1.0 AS weight
FROM pairs LEFT JOIN people USING (user_id)
"""
_SILENT: Final = """
SELECT advertiser_id, 'quarter ' || quarter AS segment, count(*) AS users
FROM people CROSS JOIN (SELECT DISTINCT advertiser_id FROM seen)
ANTI JOIN kept USING (user_id, advertiser_id)
GROUP BY ALL ORDER BY ALL
"""
_TRUTH: Final = """
WITH caused AS (
    SELECT DISTINCT advertiser_id, coalesce(order_id, signal_id) AS conversion_id, caused_by
    FROM read_parquet($logs || '/date=*/signals*.parquet') AS signals
    JOIN read_parquet($logs || '/truth_match.parquet') AS truth USING (signal_id)
    WHERE caused_by IS NOT NULL AND adjustment IS NULL
),
counted AS (
    SELECT caused_by AS campaign_id, count(*) AS incremental
    FROM caused JOIN found USING (advertiser_id, conversion_id)
    GROUP BY ALL
)
SELECT campaign_id, CAST(coalesce(incremental, 0) AS DOUBLE) AS incremental
FROM (SELECT DISTINCT campaign_id FROM seen) LEFT JOIN counted USING (campaign_id)
ORDER BY campaign_id
"""


@dataclass(frozen=True)
class World:
    """Histories, and what the ads caused.

    Attributes
    ----------
    histories : Histories
        Of all users at all advertisers.
    truth : DataFrame
        campaign_id, incremental: conversions that the campaign caused, among the histories'.
    """

    histories: Histories
    truth: pl.DataFrame


def simulated(folder: Path, kind: str, *, users: int, seed: int, days: int = 7) -> World:
    """Simulate a world of :data:`WORLDS` into a folder, unless it is there already, and read it."""
    if not (folder / "truth_credit.parquet").exists():
        config = WorldConfig.model_validate(WORLDS[kind])
        simulate(folder, users=users, days=days, seed=seed, config=config)
    return read(folder, missing=MISSING if kind == "a third missing" else 0.0)


def read(folder: Path, *, missing: float = 0.0) -> World:
    """Read a simulated world's logs and truth, some share of the conversions left out."""
    logs = {"logs": str(folder)}
    with duckdb.connect() as connection:
        connection.execute("SET preserve_insertion_order = true")
        connection.execute(_READ, logs)
        connection.execute(_TOUCHES, logs)
        connection.execute(_CONVERSIONS, {**logs, "missing": missing})
        connection.execute(_HISTORIES)
        kept = connection.sql("SELECT * EXCLUDE user_id FROM kept ORDER BY history").pl()
        silent = connection.sql(_SILENT).pl()
        touches = connection.sql(
            "SELECT history, campaign_id, kind, time_us, shown FROM seen "
            "JOIN kept USING (user_id, advertiser_id)"
        ).pl()
        conversions = connection.sql(
            "SELECT history, time_us, 1.0 AS probability, value FROM found "
            "JOIN kept USING (user_id, advertiser_id)"
        ).pl()
        truth = connection.sql(_TRUTH, params=logs).pl()
        first, last = connection.sql(
            "SELECT min(time_us), max(time_us) FROM (SELECT time_us FROM seen UNION ALL "
            "SELECT time_us FROM found)"
        ).fetchall()[0]
    rows = len(kept)
    more = silent.select(
        history=pl.int_range(rows + 1, rows + 1 + pl.len(), dtype=pl.Int64),
        advertiser_id="advertiser_id",
        user=-1 - pl.int_range(pl.len(), dtype=pl.Int64),
        segment="segment",
        weight=pl.col("users").cast(pl.Float64),
    ).select(kept.columns)
    histories = Histories.of(
        pl.concat([kept.with_columns(pl.col("weight").cast(pl.Float64)), more]),
        touches,
        conversions,
        start_us=int(first),
        end_us=int(last) + 1,
    )
    return World(histories, truth)
