-- purpose: store the probabilities of one week
-- grain: one (week, campaign_id, kind, recency, path)
-- reads: new_rates
-- parameters: $week
INSERT INTO touch_rates BY NAME
SELECT CAST($week AS DATE) AS week, campaign_id, kind, recency, path, permille, basis
FROM new_rates
ORDER BY campaign_id, kind, recency, path
