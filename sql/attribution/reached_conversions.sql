-- purpose: the conversions that touches of one log day could earn, or had in their path before
-- grain: one conversion
-- makes: reached_conversions
-- reads: touchpoints, matches, conversion_signals, conversions, path_touches
-- parameters: $day, $longest_window_us, $first_event_day, $first_log_day
CREATE OR REPLACE TEMP TABLE reached_conversions AS
WITH touches AS (
    SELECT user_id, advertiser_id, min(epoch_us(event_time)) AS first_us, max(epoch_us(event_time)) AS last_us
    FROM touchpoints
    WHERE day = $day
    GROUP BY user_id, advertiser_id
),
recent AS (
    SELECT conversion_id, advertiser_id, epoch_us(event_time) AS time_us
    FROM conversions
    WHERE day >= $first_event_day
),
matched AS (
    SELECT conversion_signals.conversion_id, matches.user_id
    FROM matches
    JOIN conversion_signals ON conversion_signals.signal_id = matches.signal_id
    WHERE matches.declared AND matches.day >= $first_log_day AND conversion_signals.day >= $first_log_day
)
SELECT recent.conversion_id
FROM recent
JOIN matched ON matched.conversion_id = recent.conversion_id
JOIN touches
    ON touches.user_id = matched.user_id
    AND touches.advertiser_id = recent.advertiser_id
    AND touches.first_us <= recent.time_us
    AND touches.last_us + $longest_window_us >= recent.time_us
UNION
-- the day may have been read before and hold other touches now
SELECT path_touches.conversion_id
FROM path_touches
JOIN conversions ON conversions.conversion_id = path_touches.conversion_id
WHERE path_touches.touch_day = $day
