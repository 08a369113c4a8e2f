-- purpose: until which log day the credit of each date may still change as its rows and windows run out;
--     what comes later still (adjustments, new matches) is told by restated_days
-- grain: one date of conversions or touches. By date of the conversion rows may come late; by date of
--     the touch conversions may also follow it. Null: the warehouse knows no such setting yet
-- reads: warehouse_settings, activity, touchpoints, signals, conversions, credits
-- parameters: none
WITH told AS (
    SELECT
        max(TRY_CAST(value AS INTEGER)) FILTER (WHERE name = 'late_days') AS late_days,
        max(TRY_CAST(value AS BIGINT)) FILTER (WHERE name = 'longest_window_us') AS longest_window_us
    FROM warehouse_settings
),
newest AS (
    SELECT max(day) AS log_day
    FROM (
        SELECT max(day) AS day FROM activity
        UNION ALL
        SELECT max(day) AS day FROM touchpoints
        UNION ALL
        SELECT max(day) AS day FROM signals
    )
),
converted AS (
    SELECT day, count(*) AS conversions FROM conversions GROUP BY day
),
touched AS (
    SELECT DISTINCT CAST(touch_time AS DATE) AS day FROM credits WHERE touch_time IS NOT NULL
),
ends AS (
    SELECT
        coalesce(converted.day, touched.day) AS day,
        coalesce(converted.conversions, 0) AS conversions,
        coalesce(converted.day, touched.day) + told.late_days AS final_by_date,
        -- the last microsecond of the date, the longest window, then what comes late
        coalesce(converted.day, touched.day)
            + CAST((86400000000 - 1 + told.longest_window_us) // 86400000000 AS INTEGER)
            + told.late_days AS final_by_click_date,
        newest.log_day
    FROM converted
    FULL JOIN touched ON touched.day = converted.day
    CROSS JOIN told
    CROSS JOIN newest
)
SELECT
    day,
    conversions,
    final_by_date,
    log_day < final_by_date AS provisional_by_date,
    final_by_click_date,
    log_day < final_by_click_date AS provisional_by_click_date,
    log_day AS newest_log_day
FROM ends
ORDER BY day
