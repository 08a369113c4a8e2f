-- purpose: drop the probabilities of weeks that have no conversions any more
-- grain: one (week, campaign_id, kind, recency, path)
-- reads: touch_rates, conversions
-- parameters: none
DELETE FROM touch_rates
WHERE week NOT IN (SELECT DISTINCT CAST(date_trunc('week', day) AS DATE) FROM conversions)
