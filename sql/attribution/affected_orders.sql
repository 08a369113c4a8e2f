-- purpose: the orders to work out anew: of signals that came, were matched anew, or are gone
-- grain: one (advertiser_id, event_name, order_id) or, without an order_id, one signal
-- makes: affected_orders
-- reads: signals, pending_signals, conversion_signals
-- parameters: $day
CREATE OR REPLACE TEMP TABLE affected_orders AS
WITH touched AS (
    SELECT signal_id FROM pending_signals
    UNION
    SELECT signal_id FROM signals WHERE day = $day
    UNION
    SELECT signal_id FROM conversion_signals WHERE day = $day
),
mentioned AS (
    SELECT signals.advertiser_id, signals.event_name, signals.order_id, signals.signal_id
    FROM signals
    JOIN touched ON touched.signal_id = signals.signal_id
    UNION ALL
    SELECT
        conversion_signals.advertiser_id,
        conversion_signals.event_name,
        conversion_signals.order_id,
        conversion_signals.signal_id
    FROM conversion_signals
    JOIN touched ON touched.signal_id = conversion_signals.signal_id
)
SELECT DISTINCT
    advertiser_id,
    event_name,
    order_id,
    CASE WHEN order_id IS NULL THEN signal_id END AS signal_id
FROM mentioned
