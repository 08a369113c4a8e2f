-- purpose: the conversions of some days whose users are known without clicks. What credit says to be of no
--     person, or no new install, is left out; the value is in the currency of the reports where it has a
--     rate, else in its own
-- grain: one (conversion_id, user_id)
-- makes: history_conversions
-- reads: history_known_users, conversion_users, conversions, credits, invalid_users, daily_rates
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE history_conversions AS
WITH machines AS (
    SELECT DISTINCT conversion_id
    FROM credits
    WHERE day BETWEEN $first_day AND $last_day AND outcome = 'rejected' AND user_id IS NULL
),
reinstalled AS (
    SELECT DISTINCT conversion_id, user_id
    FROM credits
    WHERE day BETWEEN $first_day AND $last_day AND reason = 'reinstall'
)
SELECT
    conversion_users.conversion_id,
    conversion_users.user_id,
    conversions.advertiser_id,
    epoch_us(conversions.event_time) AS time_us,
    conversion_users.user_micros / 1000000.0 AS probability,
    greatest(coalesce(CAST(conversions.value AS DOUBLE), 0.0) * coalesce(daily_rates.rate, 1.0), 0.0) AS value
FROM conversion_users
JOIN history_known_users
    ON history_known_users.conversion_id = conversion_users.conversion_id
    AND history_known_users.user_id = conversion_users.user_id
JOIN conversions ON conversions.conversion_id = conversion_users.conversion_id
LEFT JOIN machines ON machines.conversion_id = conversion_users.conversion_id
LEFT JOIN reinstalled
    ON reinstalled.conversion_id = conversion_users.conversion_id
    AND reinstalled.user_id = conversion_users.user_id
LEFT JOIN invalid_users ON invalid_users.user_id = conversion_users.user_id
LEFT JOIN daily_rates
    ON daily_rates.currency = conversions.currency
    AND daily_rates.date = conversions.day
WHERE conversion_users.day BETWEEN $first_day AND $last_day
    AND conversion_users.user_micros > 0
    AND conversions.status <> 'retracted'
    AND machines.conversion_id IS NULL
    AND reinstalled.conversion_id IS NULL
    AND invalid_users.user_id IS NULL
