-- purpose: all signals of the affected orders, whichever day they came
-- grain: one signal; order_key tells orders apart
-- makes: order_signals
-- reads: signals, affected_orders
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
)
SELECT
    day,
    signal_id,
    advertiser_id,
    event_name,
    order_id,
    coalesce('order:' || order_id, 'signal:' || signal_id) AS order_key,
    epoch_us(event_time) AS time_us,
    value,
    currency,
    adjustment
FROM members
