-- purpose: the touches that may earn one conversion, as models read them, and the quarter of their user; who
--     was not seen is of quarter 1
-- grain: one (user_id, touch_id)
-- reads: conversions, path_touches, credits, history_users
-- parameters: $conversion_id
WITH reinstalled AS (
    SELECT DISTINCT user_id
    FROM credits
    WHERE conversion_id = $conversion_id AND reason = 'reinstall'
)
SELECT
    dense_rank() OVER (ORDER BY path_touches.user_id) AS path,
    path_touches.user_id,
    path_touches.touch_id,
    path_touches.campaign_id,
    path_touches.kind,
    conversions.advertiser_id,
    epoch_us(path_touches.touch_time) AS time_us,
    epoch_us(conversions.event_time) AS end_us,
    coalesce(history_users.quarter, 1) AS quarter
FROM conversions
JOIN path_touches
    ON path_touches.conversion_id = conversions.conversion_id
    -- the same for every row, and lets other days be skipped unread
    AND path_touches.day = conversions.day
LEFT JOIN reinstalled ON reinstalled.user_id = path_touches.user_id
LEFT JOIN history_users ON history_users.user_id = path_touches.user_id
WHERE conversions.conversion_id = $conversion_id
    AND path_touches.reason IS NULL
    AND reinstalled.user_id IS NULL
ORDER BY
    path, path_touches.touch_time, path_touches.campaign_id, path_touches.kind, path_touches.touch_id
