-- purpose: until which log day the credit of each date may still change under each model as rows, windows and
--     weeks run out; what comes later still (adjustments, new matches) is told by restated_days
-- grain: one date of conversions or touches, and model (null: nothing is credited yet). By date of the
--     conversion rows may come late; by date of the touch conversions may also follow it; what
--     calibrated_last_touch knows of causes is of whole weeks, to their Sunday. A model that is fitted ends
--     with rows and windows: a refit moves no credit that stands. Before the first fit is accepted it has no
--     rows here; that fit credits what waited for it at once. Null: the warehouse knows no such setting yet
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
models AS (
    SELECT DISTINCT model FROM credits
),
converted AS (
    SELECT day, count(*) AS conversions FROM conversions GROUP BY day
),
touched AS (
    SELECT DISTINCT CAST(touch_time AS DATE) AS day FROM credits WHERE touch_time IS NOT NULL
),
dates AS (
    SELECT
        coalesce(converted.day, touched.day) AS day,
        coalesce(converted.conversions, 0) AS conversions,
        -- the last microsecond of the date and the longest window
        coalesce(converted.day, touched.day)
            + CAST((86400000000 - 1 + told.longest_window_us) // 86400000000 AS INTEGER) AS last_conversion_day,
        told.late_days,
        newest.log_day
    FROM converted
    FULL JOIN touched ON touched.day = converted.day
    CROSS JOIN told
    CROSS JOIN newest
),
ends AS (
    SELECT
        dates.day,
        models.model,
        dates.conversions,
        CASE
            WHEN models.model = 'calibrated_last_touch'
                THEN CAST(date_trunc('week', dates.day) AS DATE) + 6 + dates.late_days
            ELSE dates.day + dates.late_days
        END AS final_by_date,
        CASE
            WHEN models.model = 'calibrated_last_touch'
                THEN CAST(date_trunc('week', dates.last_conversion_day) AS DATE) + 6 + dates.late_days
            ELSE dates.last_conversion_day + dates.late_days
        END AS final_by_click_date,
        dates.log_day
    FROM dates
    LEFT JOIN models ON true
)
SELECT
    day,
    model,
    conversions,
    final_by_date,
    log_day < final_by_date AS provisional_by_date,
    final_by_click_date,
    log_day < final_by_click_date AS provisional_by_click_date,
    log_day AS newest_log_day
FROM ends
ORDER BY day, model
