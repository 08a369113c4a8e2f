"""A warehouse of one log day's signals and eight log days' touchpoints, made of hashes of numbers.

What it is like is told in attribution_scale.py, which measures with it.
"""

from datetime import date
from pathlib import Path
from typing import Final

from warehouse.config import WarehouseConfig
from warehouse.database import Warehouse

DAYS: Final = 8
LAST_DAY: Final = date(2026, 3, 8)
# a touchpoint is a number, and so is a signal, whose touchpoint is one of the 24 hours before it
MACROS: Final = (
    "CREATE TEMP MACRO draw(i, salt, size) AS CAST(hash(i * 64 + salt) % size AS BIGINT)",
    """CREATE TEMP MACRO user_of(i) AS
    draw(i, 2, getvariable('users')
        // CASE WHEN draw(i, 1, 1000) < getvariable('busy') THEN 10 ELSE 1 END)""",
    """CREATE TEMP MACRO advertiser_of(i) AS
    (draw(user_of(i), 3, 30) + 7 * draw(i, 4, 1 + user_of(i) % 3)) % 30""",
    "CREATE TEMP MACRO name_of(letter, i) AS letter || lpad(CAST(i AS VARCHAR), 9, '0')",
    """CREATE TEMP MACRO click_of(i) AS
    CASE WHEN draw(i, 6, 100) >= 95 THEN CAST(md5(CAST(i AS VARCHAR)) AS UUID) END""",
    "CREATE TEMP MACRO order_of(j) AS j % getvariable('conversions')",
    "CREATE TEMP MACRO days_until(j) AS 7 + order_of(j) / getvariable('conversions')",
    """CREATE TEMP MACRO touch_of(j) AS
    CASE WHEN draw(order_of(j), 21, 100) < 85
        THEN CAST(floor(
            getvariable('touchpoints') / 8 * (days_until(j) - draw(order_of(j), 20, 1000) / 1000)
        ) AS BIGINT)
        ELSE draw(order_of(j), 22, getvariable('touchpoints')) END""",
)
TOUCHPOINTS: Final = """
INSERT INTO touchpoints BY NAME
SELECT
    $day AS day,
    name_of('t', i) AS touch_id,
    TIMESTAMP '2026-03-01' + to_microseconds(
        CAST(i * CAST(691200000000 AS HUGEINT) // getvariable('touchpoints') AS BIGINT)
    ) AS event_time,
    name_of('u', user_of(i)) AS user_id,
    CASE WHEN draw(i, 6, 100) < 80 THEN 'impression' WHEN draw(i, 6, 100) < 95 THEN 'engaged_view'
        ELSE 'click' END AS kind,
    'adv_' || advertiser_of(i) AS advertiser_id,
    'cmp_' || (
        advertiser_of(i) + 30 * draw(i, 7, CASE WHEN advertiser_of(i) < 20 THEN 7 ELSE 6 END)
    ) AS campaign_id,
    'ad_' || draw(i, 8, 900) AS ad_id,
    ['feed', 'short_video', 'live', 'search', 'shop'][1 + draw(i, 9, 5)] AS surface,
    'cr_' || draw(i, 10, 5000) AS creator_id,
    click_of(i) AS click_digest,
    draw(i, 11, 1000) / 100000 AS cost,
    'USD' AS currency,
    CASE WHEN draw(i, 12, 10) = 0 THEN 'control' ELSE 'treatment' END AS arm,
    'touchpoints.parquet' AS source_file,
    i AS source_row
FROM range($first_row, $last_row) AS numbers(i)
"""
SIGNALS: Final = """
INSERT INTO signals BY NAME
SELECT
    $day AS day,
    name_of('s', j) AS signal_id,
    TIMESTAMP '2026-03-01' + to_microseconds(
        CAST(days_until(j) * 86400000000 AS BIGINT) + j // getvariable('conversions')
    ) AS event_time,
    'adv_' || advertiser_of(touch_of(j)) AS advertiser_id,
    ['purchase', 'purchase', 'purchase', 'lead', 'install'][1 + draw(order_of(j), 23, 5)]
        AS event_name,
    name_of('o', order_of(j)) AS order_id,
    CASE WHEN draw(order_of(j), 24, 5) > 0 THEN draw(order_of(j), 25, 20000) / 100 END
        AS value,
    'USD' AS currency,
    false AS is_bot,
    'signals.parquet' AS source_file,
    j AS source_row
FROM range(getvariable('signals')) AS numbers(j)
"""
IDENTIFIERS: Final = """
INSERT INTO signal_identifiers BY NAME
SELECT $day AS day, name_of('s', j) AS signal_id, kind, digest
FROM (
    SELECT j, 'email' AS kind, CAST(md5(CAST(user_of(touch_of(j)) AS VARCHAR)) AS UUID) AS digest
    FROM range(getvariable('signals')) AS numbers(j)
    UNION ALL
    SELECT j, 'click_id' AS kind, click_of(touch_of(j)) AS digest
    FROM range(getvariable('conversions')) AS numbers(j)
)
WHERE digest IS NOT NULL
"""
# the second and third candidate are users of touchpoints of the same hours, whatever the advertiser
MATCHES: Final = """
INSERT INTO matches BY NAME
SELECT
    $day AS day,
    name_of('s', j) AS signal_id,
    name_of('u', (user_of(touch_of(j)) + place * place * 1001) % getvariable('users')) AS user_id,
    CASE WHEN uncertain THEN 'model' ELSE 'email' END AS method,
    CASE WHEN uncertain THEN [0.6, 0.21, 0.13][1 + place] ELSE 1 END AS match_probability,
    1 + place AS rank,
    CASE WHEN uncertain THEN 'm1' ELSE '' END AS model_version,
    place = 0 AS declared
FROM (
    SELECT j, draw(order_of(j), 26, 1000) < $uncertain AS uncertain
    FROM range(getvariable('signals')) AS numbers(j)
)
CROSS JOIN range(3) AS places(place)
WHERE place = 0 OR uncertain
"""
PENDING: Final = "INSERT INTO pending_signals BY NAME SELECT day, signal_id FROM signals"
SOUGHT: Final = """
CREATE TABLE bare_conversions AS
SELECT
    signals.signal_id AS conversion_id,
    CAST(signals.event_time AS DATE) AS day,
    matches.user_id,
    signals.advertiser_id,
    signals.event_time
FROM signals
JOIN matches ON matches.signal_id = signals.signal_id
WHERE signals.source_row < getvariable('conversions')
"""


def build(path: Path, *, touchpoints: int, uncertain: float, busy: float) -> None:
    """Make the warehouse of one size, and print what it holds.

    Parameters
    ----------
    path : Path
        Where to make it.
    touchpoints : int
        How many; all other numbers follow.
    uncertain : float
        Share of the signals with three candidates.
    busy : float
        Share of the touchpoints that are of a tenth of the users.
    """
    conversions = touchpoints // 20
    sizes = {
        "touchpoints": touchpoints, "users": touchpoints // DAYS, "conversions": conversions,
        "signals": conversions + conversions // 20, "busy": round(busy * 1000),
    }  # fmt: skip
    with Warehouse.open(path, config=WarehouseConfig(memory_limit="5GiB", threads=2)) as warehouse:
        run = warehouse._connection.execute
        for name, size in sizes.items():
            run(f"SET VARIABLE {name} = {size}")
        for macro in MACROS:
            run(macro)
        for number in range(DAYS):
            first, last = (touchpoints * place // DAYS for place in (number, number + 1))
            day = date(2026, 3, 1 + number)
            run(TOUCHPOINTS, {"day": day, "first_row": first, "last_row": last})
        run(SIGNALS, {"day": LAST_DAY})
        run(IDENTIFIERS, {"day": LAST_DAY})
        run(MATCHES, {"day": LAST_DAY, "uncertain": round(uncertain * 1000)})
        run(PENDING)
        run(SOUGHT)
    print(", ".join(f"{size:,} {name}" for name, size in sizes.items() if name != "busy"))
