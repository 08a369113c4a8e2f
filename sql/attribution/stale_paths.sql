-- purpose: what the paths of the conversions about to be replaced were found for
-- grain: one conversion
-- makes: stale_paths
-- reads: stale_conversions, conversions, credits
-- parameters: none
CREATE OR REPLACE TEMP TABLE stale_paths AS
WITH stale AS (
    SELECT DISTINCT conversion_id FROM stale_conversions
)
SELECT
    conversions.conversion_id,
    conversions.advertiser_id,
    epoch_us(conversions.event_time) AS time_us,
    min(credits.user_id) AS user_id
FROM conversions
JOIN stale ON stale.conversion_id = conversions.conversion_id
JOIN credits ON credits.conversion_id = conversions.conversion_id
GROUP BY conversions.conversion_id, conversions.advertiser_id, conversions.event_time
