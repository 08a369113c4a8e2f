-- purpose: the conversions that the touches of one log day, late or read late, could have earned
-- grain: one conversion
-- makes: reached_conversions
-- reads: touchpoints, matches, conversion_signals, conversions
-- parameters: $day, $longest_window_us
CREATE OR REPLACE TEMP TABLE reached_conversions AS
WITH touches AS (
    SELECT user_id, advertiser_id, min(epoch_us(event_time)) AS first_us, max(epoch_us(event_time)) AS last_us
    FROM touchpoints
    WHERE day = $day
    GROUP BY user_id, advertiser_id
),
since AS (
    -- no signal stands in the log more than two days before its event
    SELECT
        CAST(make_timestamp(min(first_us)) AS DATE) AS event_day,
        CAST(make_timestamp(min(first_us) - 172800000000) AS DATE) AS log_day
    FROM touches
),
recent AS (
    SELECT conversion_id, advertiser_id, epoch_us(event_time) AS time_us
    FROM conversions
    WHERE day >= (SELECT event_day FROM since)
),
matched AS (
    SELECT conversion_signals.conversion_id, matches.user_id
    FROM matches
    JOIN conversion_signals ON conversion_signals.signal_id = matches.signal_id
    WHERE matches.day >= (SELECT log_day FROM since)
        AND conversion_signals.day >= (SELECT log_day FROM since)
)
SELECT DISTINCT recent.conversion_id
FROM recent
JOIN matched ON matched.conversion_id = recent.conversion_id
JOIN touches
    ON touches.user_id = matched.user_id
    AND touches.advertiser_id = recent.advertiser_id
    AND touches.first_us <= recent.time_us
    AND touches.last_us + $longest_window_us >= recent.time_us
