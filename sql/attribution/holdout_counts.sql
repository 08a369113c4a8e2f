-- purpose: what the conversions of one week and the three before tell of causes, counted
-- grain: one (role, campaign_id, kind, recency, path)
-- reads: holdout_conversions
-- parameters: $week
SELECT role, campaign_id, kind, recency, path, count(*) AS conversions
FROM holdout_conversions
WHERE day BETWEEN CAST($week AS DATE) - 21 AND CAST($week AS DATE) + 6
GROUP BY role, campaign_id, kind, recency, path
ORDER BY role, campaign_id, kind, recency, path
