-- purpose: make room for the probabilities of one week
-- grain: one (week, campaign_id, kind, recency, path)
-- reads: touch_rates
-- parameters: $week
DELETE FROM touch_rates
WHERE week = $week
