-- purpose: what the credit of a campaign was told apart from organic conversions by, under each model that says
--     so: holdout; pooled (holdouts of other campaigns); recency (how soon conversions follow a touch) and none
--     (the form of the model alone), weaker estimates, without holdouts
-- grain: one model, campaign (null: all of the model) and basis
-- reads: credits, touch_rates, campaign_effects
-- parameters: none
WITH credited AS (
    SELECT DISTINCT
        model,
        campaign_id,
        model_version,
        CASE WHEN model = 'calibrated_last_touch' THEN CAST(date_trunc('week', day) AS DATE) END AS week
    FROM credits
    WHERE outcome = 'touch'
),
rates AS (
    SELECT DISTINCT week, campaign_id, basis FROM touch_rates
),
told AS (
    SELECT credited.model, credited.campaign_id, rates.basis
    FROM credited
    JOIN rates ON rates.week = credited.week AND rates.campaign_id = credited.campaign_id
    UNION ALL
    SELECT credited.model, credited.campaign_id, campaign_effects.basis
    FROM credited
    JOIN campaign_effects
        ON campaign_effects.model = credited.model
        AND campaign_effects.model_version = credited.model_version
        AND campaign_effects.campaign_id = credited.campaign_id
)
SELECT
    model,
    campaign_id,
    basis
FROM told
WHERE basis IS NOT NULL AND campaign_id IS NOT NULL
GROUP BY GROUPING SETS ((model, campaign_id, basis), (model, basis))
ORDER BY model, campaign_id, basis
