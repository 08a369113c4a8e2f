-- purpose: the installs that events of the users at work may have made reinstalls, or no longer do
-- grain: one conversion
-- reads: work_conversions, new_users, stale_users, conversions, conversion_values, conversion_users
-- parameters: $install_events, $install_history_us
INSERT INTO work_conversions BY NAME
WITH moments AS (
    SELECT work_conversions.advertiser_id, new_users.user_id, work_conversions.time_us
    FROM work_conversions
    JOIN new_users ON new_users.conversion_id = work_conversions.conversion_id
    UNION ALL
    SELECT work_conversions.advertiser_id, conversion_users.user_id, work_conversions.time_us
    FROM work_conversions
    JOIN conversion_users ON conversion_users.conversion_id = work_conversions.conversion_id
    UNION ALL
    SELECT advertiser_id, user_id, time_us FROM stale_users
),
spans AS (
    SELECT advertiser_id, user_id, min(time_us) AS first_us, max(time_us) AS last_us
    FROM moments
    GROUP BY advertiser_id, user_id
),
installs AS (
    SELECT DISTINCT conversions.conversion_id
    FROM conversions
    JOIN conversion_users ON conversion_users.conversion_id = conversions.conversion_id
    JOIN spans
        ON spans.user_id = conversion_users.user_id
        AND spans.advertiser_id = conversions.advertiser_id
        AND epoch_us(conversions.event_time) >= spans.first_us
        AND epoch_us(conversions.event_time) <= spans.last_us + $install_history_us
    LEFT JOIN work_conversions ON work_conversions.conversion_id = conversions.conversion_id
    WHERE list_contains($install_events, conversions.event_name)
        AND work_conversions.conversion_id IS NULL
)
SELECT
    conversion_values.conversion_id,
    conversion_values.day,
    conversion_values.advertiser_id,
    conversion_values.event_name,
    conversion_values.time_us,
    conversion_values.value_micros,
    'installs' AS cause
FROM conversion_values
JOIN installs ON installs.conversion_id = conversion_values.conversion_id
