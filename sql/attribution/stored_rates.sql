-- purpose: the probabilities of one week as they are stored
-- grain: one (campaign_id, kind, recency, path)
-- reads: touch_rates
-- parameters: $week
SELECT campaign_id, kind, recency, path, permille, basis
FROM touch_rates
WHERE week = $week
ORDER BY campaign_id, kind, recency, path
