-- purpose: the first signal of each order, which is its first conversion
-- grain: one (advertiser_id, event_name, order_key)
-- makes: first_signals
-- reads: order_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE first_signals AS
WITH ranked AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY advertiser_id, event_name, order_key
            ORDER BY time_us, signal_id
        ) AS place
    FROM order_signals
    WHERE adjustment IS NULL
)
SELECT advertiser_id, event_name, order_key, time_us, signal_id AS conversion_id
FROM ranked
WHERE place = 1
