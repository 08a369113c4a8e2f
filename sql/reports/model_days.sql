-- purpose: which conversions each model has credited: a model that was switched on later knows fewer days
-- grain: one model
-- reads: credits, conversions
-- parameters: none
WITH credited AS (
    SELECT DISTINCT model, conversion_id, day FROM credits
),
stored AS (
    SELECT count(*) AS conversions FROM conversions
)
SELECT
    credited.model,
    min(credited.day) AS first_day,
    max(credited.day) AS last_day,
    count(DISTINCT credited.day) AS days,
    count(DISTINCT credited.conversion_id) AS conversions,
    any_value(stored.conversions) - count(DISTINCT credited.conversion_id) AS not_credited
FROM credited
CROSS JOIN stored
GROUP BY credited.model
ORDER BY credited.model
