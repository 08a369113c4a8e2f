-- purpose: which conversions each model has credited: a model that was switched on later knows fewer days
-- grain: one model; retracted conversions do not count
-- reads: credits, conversions
-- parameters: none
WITH credited AS (
    SELECT DISTINCT credits.model, credits.conversion_id, credits.day
    FROM credits
    JOIN conversions ON conversions.conversion_id = credits.conversion_id
    WHERE conversions.status <> 'retracted'
),
stored AS (
    SELECT count(*) AS conversions FROM conversions WHERE status <> 'retracted'
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
