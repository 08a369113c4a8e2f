-- purpose: the touches of persons in some log days, those withheld too; one sent again counts on its first day
-- grain: one touch
-- makes: history_touches
-- reads: touchpoints, invalid_touches, invalid_users
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE history_touches AS
WITH watched AS (
    SELECT
        touchpoints.touch_id,
        touchpoints.day,
        touchpoints.user_id,
        touchpoints.advertiser_id,
        touchpoints.campaign_id,
        touchpoints.kind,
        epoch_us(touchpoints.event_time) AS time_us,
        touchpoints.arm IS NULL OR touchpoints.arm <> 'control' AS shown
    FROM touchpoints
    LEFT JOIN invalid_touches
        ON invalid_touches.day = touchpoints.day
        AND invalid_touches.touch_id = touchpoints.touch_id
    LEFT JOIN invalid_users ON invalid_users.user_id = touchpoints.user_id
    WHERE touchpoints.day BETWEEN $first_day AND $last_day
        AND CAST(touchpoints.event_time AS DATE) BETWEEN $first_day AND $last_day
        AND invalid_touches.touch_id IS NULL
        AND invalid_users.user_id IS NULL
),
copies AS (
    -- a log day holds an id once
    SELECT touch_id, min(day) AS day
    FROM watched
    GROUP BY touch_id
)
SELECT
    watched.user_id, watched.advertiser_id, watched.campaign_id, watched.kind, watched.time_us,
    watched.shown
FROM watched
JOIN copies ON copies.touch_id = watched.touch_id AND copies.day = watched.day
