-- purpose: what one conversion is
-- grain: one conversion
-- reads: conversions
-- parameters: $conversion_id
SELECT
    conversion_id,
    advertiser_id,
    event_name,
    order_id,
    event_time,
    CAST(value AS DOUBLE) AS value,
    currency,
    status
FROM conversions
WHERE conversion_id = $conversion_id
