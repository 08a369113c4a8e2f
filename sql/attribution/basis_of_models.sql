-- purpose: what a model told causes apart by: holdout; pooled (holdouts of other campaigns); recency (how soon
--     conversions follow a touch) and none (the form of the model alone), weaker estimates, without holdouts
-- grain: one model that says so; several of them are joined by a plus
-- reads: touch_rates, credit_models
-- parameters: none
WITH told AS (
    SELECT 'calibrated_last_touch' AS model, basis
    FROM touch_rates
    WHERE campaign_id <> ''
    UNION ALL
    SELECT model, json_extract_string(body, '$.basis') AS basis
    FROM credit_models
    WHERE body IS NOT NULL
)
SELECT model, array_to_string(list_sort(list(DISTINCT basis)), ' + ') AS basis
FROM told
WHERE basis IS NOT NULL
GROUP BY model
ORDER BY model
