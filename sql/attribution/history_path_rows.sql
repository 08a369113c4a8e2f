-- purpose: the touches that may earn the conversions of histories, numbered by path and time
-- grain: one (conversion_id, user_id, touch_id)
-- reads: history_conversions, path_touches, histories
-- parameters: $first_day, $last_day
SELECT
    row_number() OVER touched AS place,
    dense_rank() OVER (ORDER BY path_touches.conversion_id, path_touches.user_id) AS path,
    path_touches.campaign_id,
    path_touches.kind,
    history_conversions.advertiser_id,
    epoch_us(path_touches.touch_time) AS time_us,
    history_conversions.time_us AS end_us,
    history_conversions.probability,
    histories.quarter
FROM path_touches
JOIN history_conversions
    ON history_conversions.conversion_id = path_touches.conversion_id
    AND history_conversions.user_id = path_touches.user_id
JOIN histories
    ON histories.user_id = history_conversions.user_id
    AND histories.advertiser_id = history_conversions.advertiser_id
WHERE path_touches.day BETWEEN $first_day AND $last_day AND path_touches.reason IS NULL
WINDOW touched AS (
    ORDER BY
        path_touches.conversion_id,
        path_touches.user_id,
        path_touches.touch_time,
        path_touches.campaign_id,
        path_touches.kind,
        path_touches.touch_id
)
ORDER BY place
