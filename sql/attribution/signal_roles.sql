-- purpose: what each signal of the affected orders is: first, repeat, or adjustment of a conversion
-- grain: one signal; conversion_id is null for the adjustment of an order not seen
-- makes: signal_roles
-- reads: order_signals, first_signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE signal_roles AS
WITH candidates AS (
    -- the conversion at or before the signal, the latest first; else the earliest after it
    SELECT
        order_signals.signal_id,
        first_signals.conversion_id,
        row_number() OVER (
            PARTITION BY order_signals.signal_id
            ORDER BY
                CASE WHEN first_signals.time_us <= order_signals.time_us THEN 0 ELSE 1 END,
                abs(order_signals.time_us - first_signals.time_us),
                first_signals.conversion_id
        ) AS place
    FROM order_signals
    JOIN first_signals
        ON first_signals.advertiser_id = order_signals.advertiser_id
        AND first_signals.event_name = order_signals.event_name
        AND first_signals.order_key = order_signals.order_key
),
nearest AS (
    SELECT signal_id, conversion_id
    FROM candidates
    WHERE place = 1
)
SELECT
    order_signals.day,
    order_signals.signal_id,
    nearest.conversion_id,
    CASE
        WHEN order_signals.adjustment IS NOT NULL THEN order_signals.adjustment
        WHEN order_signals.signal_id = nearest.conversion_id THEN 'first'
        ELSE 'repeat'
    END AS role,
    order_signals.advertiser_id,
    order_signals.event_name,
    order_signals.order_id,
    order_signals.time_us,
    order_signals.value,
    order_signals.currency
FROM order_signals
LEFT JOIN nearest ON nearest.signal_id = order_signals.signal_id
