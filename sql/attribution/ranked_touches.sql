-- purpose: the touches that may earn the conversions at work, in the order of precedence
-- grain: one (conversion_id, user_id, touch_id)
-- makes: ranked_touches
-- reads: path_touches, work_conversions, reinstalls
-- parameters: $named_click_first
CREATE OR REPLACE TEMP TABLE ranked_touches AS
SELECT
    path_touches.conversion_id,
    path_touches.user_id,
    path_touches.touch_id,
    path_touches.campaign_id,
    path_touches.touch_time,
    path_touches.kind,
    work_conversions.day,
    work_conversions.time_us - epoch_us(path_touches.touch_time) AS lag_us,
    row_number() OVER (
        PARTITION BY path_touches.conversion_id, path_touches.user_id
        ORDER BY
            CASE WHEN $named_click_first AND path_touches.named THEN 0 ELSE 1 END,
            path_touches.strength,
            path_touches.touch_time DESC,
            path_touches.touch_id
    ) AS precedence
FROM path_touches
JOIN work_conversions
    ON work_conversions.conversion_id = path_touches.conversion_id
    -- the same for every row, and lets other days be skipped unread
    AND work_conversions.day = path_touches.day
LEFT JOIN reinstalls
    ON reinstalls.conversion_id = path_touches.conversion_id
    AND reinstalls.user_id = path_touches.user_id
WHERE path_touches.reason IS NULL AND reinstalls.conversion_id IS NULL
