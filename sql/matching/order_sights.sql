-- purpose: what all signals of one order show together, for the orders of the signals that look for candidates: a
--     pixel sees a browser, of which its server twin and later adjustments often tell less; each group of columns is
--     the earliest signal's that shows it. Signals of bots tell nothing
-- grain: one (advertiser_id, order_id) with several signals by the end of the log day
-- makes: order_sights
-- reads: signals, chosen_signals
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE order_sights AS
WITH orders AS (
    SELECT DISTINCT signals.advertiser_id, signals.order_id
    FROM signals
    JOIN chosen_signals ON chosen_signals.signal_id = signals.signal_id
    WHERE signals.order_id IS NOT NULL
),
members AS (
    SELECT signals.*
    FROM signals
    JOIN orders
        ON orders.advertiser_id = signals.advertiser_id
        AND orders.order_id = signals.order_id
    WHERE signals.day BETWEEN $first_day AND $last_day AND signals.is_bot IS DISTINCT FROM true
)
SELECT
    advertiser_id,
    order_id,
    min(struct_pack(
        event_time := event_time, signal_id := signal_id, address_digest := address_digest,
        network_digest := network_digest, site_digest := site_digest
    )) FILTER (WHERE network_digest IS NOT NULL) AS network,
    min(struct_pack(
        event_time := event_time, signal_id := signal_id, device_key := device_key, user_agent := user_agent,
        os := os, browser_major := browser_major
    )) FILTER (WHERE device_key IS NOT NULL) AS device,
    min(struct_pack(event_time := event_time, signal_id := signal_id, shown := screen))
        FILTER (WHERE screen IS NOT NULL) AS screen,
    min(struct_pack(event_time := event_time, signal_id := signal_id, shown := language))
        FILTER (WHERE language IS NOT NULL) AS language,
    min(struct_pack(event_time := event_time, signal_id := signal_id, shown := timezone))
        FILTER (WHERE timezone IS NOT NULL) AS timezone,
    min(struct_pack(event_time := event_time, signal_id := signal_id, shown := country || '/' || city))
        FILTER (WHERE country IS NOT NULL AND city IS NOT NULL) AS town
FROM members
GROUP BY advertiser_id, order_id
HAVING count(*) > 1
