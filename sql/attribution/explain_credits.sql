-- purpose: the credit of one conversion under each model, of each user that of the latest touch first; and of a
--     model that is fitted its version, the log days that it was fitted on (null where these are not kept) and
--     what it found out of the campaign
-- grain: one credit row
-- reads: credits, conversions, credit_models, campaign_effects, touch_rates
-- parameters: $conversion_id
WITH bases AS (
    SELECT DISTINCT week, campaign_id, basis
    FROM touch_rates
),
fitted AS (
    -- several fits may come to the same content, and so to one version: the latest of them
    SELECT
        model,
        model_version,
        arg_max(first_day, last_day) AS fitted_from,
        max(last_day) AS fitted_until
    FROM credit_models
    WHERE status = 'accepted'
    GROUP BY model, model_version
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
    coalesce(bases.basis, campaign_effects.basis) AS basis,
    campaign_effects.correction,
    credits.rules_version,
    credits.model_version,
    fitted.fitted_from,
    fitted.fitted_until,
    (epoch_us(conversions.event_time) - epoch_us(credits.touch_time)) / 3600000000 AS age_hours
FROM credits
LEFT JOIN conversions ON conversions.conversion_id = credits.conversion_id
LEFT JOIN bases
    ON credits.model = 'calibrated_last_touch'
    AND bases.week = CAST(date_trunc('week', credits.day) AS DATE)
    AND bases.campaign_id = credits.campaign_id
LEFT JOIN fitted
    ON fitted.model = credits.model
    AND fitted.model_version = credits.model_version
LEFT JOIN campaign_effects
    ON campaign_effects.model = credits.model
    AND campaign_effects.model_version = credits.model_version
    AND campaign_effects.campaign_id = credits.campaign_id
WHERE credits.conversion_id = $conversion_id
ORDER BY credits.model, credits.outcome, credits.user_id, credits.touch_time DESC NULLS LAST, credits.touch_id
