-- purpose: one conversion: what it is, its user, and its credit
-- grain: one credit row
-- reads: conversions, credits
-- parameters: $conversion_id
SELECT
    conversions.conversion_id,
    conversions.advertiser_id,
    conversions.event_name,
    conversions.order_id,
    conversions.event_time,
    CAST(conversions.value AS DOUBLE) AS value,
    conversions.currency,
    conversions.status,
    credits.model,
    credits.outcome,
    credits.user_id,
    credits.touch_id,
    credits.campaign_id,
    credits.credit_micros,
    credits.value_micros
FROM conversions
JOIN credits ON credits.conversion_id = conversions.conversion_id
WHERE conversions.conversion_id = $conversion_id
ORDER BY credits.model, credits.outcome, credits.user_id, credits.touch_id
