-- purpose: the orders to work out anew
-- grain: one (advertiser_id, event_name, order_id) or, without an order_id, one signal
-- makes: affected_orders
-- reads: touched_signals, signals, conversion_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE affected_orders AS
WITH mentioned AS (
    SELECT signals.advertiser_id, signals.event_name, signals.order_id, signals.signal_id
    FROM signals
    JOIN touched_signals ON touched_signals.signal_id = signals.signal_id
    UNION ALL
    SELECT
        conversion_signals.advertiser_id,
        conversion_signals.event_name,
        conversion_signals.order_id,
        conversion_signals.signal_id
    FROM conversion_signals
    JOIN touched_signals ON touched_signals.signal_id = conversion_signals.signal_id
)
SELECT DISTINCT
    advertiser_id,
    event_name,
    order_id,
    CASE WHEN order_id IS NULL THEN signal_id END AS signal_id
FROM mentioned
