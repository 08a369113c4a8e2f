-- purpose: the credit of one conversion under each model
-- grain: one credit row
-- reads: credits, touch_rates
-- parameters: $conversion_id
WITH bases AS (
    SELECT DISTINCT week, campaign_id, basis
    FROM touch_rates
)
SELECT
    credits.model,
    credits.outcome,
    credits.reason,
    credits.user_id,
    credits.touch_id,
    credits.campaign_id,
    credits.credit_micros,
    credits.value_micros,
    bases.basis,
    credits.rules_version
FROM credits
LEFT JOIN bases
    ON credits.model = 'calibrated_last_touch'
    AND bases.week = CAST(date_trunc('week', credits.day) AS DATE)
    AND bases.campaign_id = credits.campaign_id
WHERE credits.conversion_id = $conversion_id
ORDER BY credits.model, credits.outcome, credits.user_id, credits.touch_id
