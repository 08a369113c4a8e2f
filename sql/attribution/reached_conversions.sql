-- purpose: the conversions that touches of one log day could earn, or had in their path before
-- grain: one conversion
-- makes: reached_conversions
-- reads: touchpoints, conversion_users, conversions, path_touches, holdout_conversions
-- parameters: $day, $longest_window_us, $first_event_day
CREATE OR REPLACE TEMP TABLE reached_conversions AS
WITH touches AS (
    SELECT user_id, advertiser_id, min(epoch_us(event_time)) AS first_us, max(epoch_us(event_time)) AS last_us
    FROM touchpoints
    WHERE day = $day
    GROUP BY user_id, advertiser_id
),
recent AS (
    SELECT
        conversions.conversion_id,
        conversions.advertiser_id,
        conversion_users.user_id,
        epoch_us(conversions.event_time) AS time_us
    FROM conversions
    JOIN conversion_users ON conversion_users.conversion_id = conversions.conversion_id
    WHERE conversions.day >= $first_event_day AND conversion_users.day >= $first_event_day
)
SELECT recent.conversion_id
FROM recent
JOIN touches
    ON touches.user_id = recent.user_id
    AND touches.advertiser_id = recent.advertiser_id
    AND touches.first_us <= recent.time_us
    AND touches.last_us + $longest_window_us >= recent.time_us
UNION
-- the day may have been read before and hold other touches now
SELECT path_touches.conversion_id
FROM path_touches
JOIN conversions ON conversions.conversion_id = path_touches.conversion_id
WHERE path_touches.touch_day = $day
UNION
-- nor are ads withheld, and impressions older than their window, in any path
SELECT holdout_conversions.conversion_id
FROM holdout_conversions
JOIN conversions ON conversions.conversion_id = holdout_conversions.conversion_id
WHERE holdout_conversions.touch_day = $day
