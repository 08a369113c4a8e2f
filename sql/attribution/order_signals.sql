-- purpose: all signals of the affected orders, whichever day they came
-- grain: one signal; order_key tells orders apart
-- makes: order_signals
-- reads: signals, affected_orders, conversion_signals, touched_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE order_signals AS
WITH members AS (
    SELECT signals.*
    FROM signals
    JOIN affected_orders
        ON affected_orders.advertiser_id = signals.advertiser_id
        AND affected_orders.event_name = signals.event_name
        AND affected_orders.order_id = signals.order_id
    UNION ALL
    SELECT signals.*
    FROM signals
    JOIN affected_orders
        ON affected_orders.advertiser_id = signals.advertiser_id
        AND affected_orders.event_name = signals.event_name
        AND affected_orders.signal_id = signals.signal_id
    WHERE signals.order_id IS NULL
),
elsewhere AS (
    -- read again with another order: it leaves the old one when its own day is attributed
    SELECT members.signal_id
    FROM members
    JOIN conversion_signals ON conversion_signals.signal_id = members.signal_id
    LEFT JOIN touched_signals ON touched_signals.signal_id = members.signal_id
    WHERE touched_signals.signal_id IS NULL
        AND (
            conversion_signals.advertiser_id <> members.advertiser_id
            OR conversion_signals.event_name <> members.event_name
            OR conversion_signals.order_id IS DISTINCT FROM members.order_id
        )
)
SELECT
    members.day,
    members.signal_id,
    members.advertiser_id,
    members.event_name,
    members.order_id,
    coalesce('order:' || members.order_id, 'signal:' || members.signal_id) AS order_key,
    epoch_us(members.event_time) AS time_us,
    members.value,
    members.currency,
    members.adjustment
FROM members
LEFT JOIN elsewhere ON elsewhere.signal_id = members.signal_id
WHERE elsewhere.signal_id IS NULL
