-- purpose: for what the rules of one conversion's paths must be known
-- grain: one (advertiser_id, event_name, method)
-- reads: conversions, conversion_users
-- parameters: $conversion_id
SELECT DISTINCT conversions.advertiser_id, conversions.event_name, conversion_users.method
FROM conversions
JOIN conversion_users ON conversion_users.conversion_id = conversions.conversion_id
WHERE conversions.conversion_id = $conversion_id
ORDER BY conversion_users.method
