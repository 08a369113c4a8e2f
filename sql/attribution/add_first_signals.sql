-- purpose: the next conversion of each order: its first signal past the window of the last one
-- grain: one (advertiser_id, event_name, order_key) that has a further conversion
-- reads: order_signals, first_signals
-- parameters: $dedup_us
INSERT INTO first_signals BY NAME
WITH last_firsts AS (
    SELECT advertiser_id, event_name, order_key, max(time_us) AS time_us
    FROM first_signals
    GROUP BY advertiser_id, event_name, order_key
),
ranked AS (
    SELECT
        order_signals.*,
        row_number() OVER (
            PARTITION BY
                order_signals.advertiser_id, order_signals.event_name, order_signals.order_key
            ORDER BY order_signals.time_us, order_signals.signal_id
        ) AS place
    FROM order_signals
    JOIN last_firsts
        ON last_firsts.advertiser_id = order_signals.advertiser_id
        AND last_firsts.event_name = order_signals.event_name
        AND last_firsts.order_key = order_signals.order_key
    WHERE order_signals.adjustment IS NULL
        AND order_signals.time_us > last_firsts.time_us + $dedup_us
)
SELECT advertiser_id, event_name, order_key, time_us, signal_id AS conversion_id
FROM ranked
WHERE place = 1
