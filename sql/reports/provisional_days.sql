-- purpose: until which log day the credit of each date may still change under each model as rows, windows and
--     weeks run out; what comes later still (adjustments, new matches) is told by restated_days
-- grain: one date of conversions or touches, and model (null: nothing is credited yet). By date of the
--     conversion rows may come late; by date of the touch conversions may also follow it; what
--     calibrated_last_touch knows of causes is of whole weeks, to their Sunday. Credit of a fitted model that
--     knows few log days is given anew by one that was fitted on a quarter more, and again, until there are
--     history_days of them: the day told is that of the last; otherwise it ends with rows and windows. Before the first fit is accepted it has
--     no rows here; that fit credits what waited for it at once. Null: the warehouse knows no such setting yet
-- reads: warehouse_settings, activity, touchpoints, signals, conversions, credits, credit_models
-- parameters: none
WITH told AS (
    SELECT
        max(TRY_CAST(value AS INTEGER)) FILTER (WHERE name = 'late_days') AS late_days,
        max(TRY_CAST(value AS BIGINT)) FILTER (WHERE name = 'longest_window_us') AS longest_window_us,
        max(TRY_CAST(value AS INTEGER)) FILTER (WHERE name = 'history_days') AS history_days,
        max(TRY_CAST(value AS INTEGER)) FILTER (WHERE name = 'refit_days') AS refit_days
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
young AS (
    -- versions that one of a quarter more log days may outgrow yet. Fits are no further apart than refit_days,
    -- so that the last that outgrows any comes so soon after there are history_days of them
    SELECT
        fits.model,
        fits.model_version,
        greatest(
            max(fits.first_day) + any_value(told.history_days) + any_value(told.refit_days) - 2,
            any_value(newest.log_day) + 1
        ) AS outgrown_by
    FROM (
        SELECT model, model_version, first_day, last_day - first_day + 1 AS days
        FROM credit_models
        WHERE status = 'accepted'
    ) AS fits
    CROSS JOIN told
    CROSS JOIN newest
    GROUP BY fits.model, fits.model_version
    HAVING (5 * max(fits.days) + 3) // 4 <= any_value(told.history_days)
),
outgrown AS (
    SELECT
        days.day,
        days.model,
        max(young.outgrown_by) FILTER (WHERE NOT days.by_click) AS by_date,
        max(young.outgrown_by) AS by_click_date
    FROM (
        SELECT DISTINCT day, model, model_version, false AS by_click FROM credits
        UNION ALL
        SELECT DISTINCT CAST(touch_time AS DATE) AS day, model, model_version, true AS by_click
        FROM credits
        WHERE touch_time IS NOT NULL
    ) AS days
    JOIN young ON young.model = days.model AND young.model_version = days.model_version
    GROUP BY days.day, days.model
),
converted AS (
    SELECT day, count(*) FILTER (WHERE status <> 'retracted') AS conversions FROM conversions GROUP BY day
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
        greatest(
            CASE
                WHEN models.model = 'calibrated_last_touch'
                    THEN CAST(date_trunc('week', dates.day) AS DATE) + 6
                ELSE dates.day
            END + dates.late_days,
            outgrown.by_date
        ) AS final_by_date,
        greatest(
            CASE
                WHEN models.model = 'calibrated_last_touch'
                    THEN CAST(date_trunc('week', dates.last_conversion_day) AS DATE) + 6
                ELSE dates.last_conversion_day
            END + dates.late_days,
            outgrown.by_click_date
        ) AS final_by_click_date,
        dates.log_day
    FROM dates
    LEFT JOIN models ON true
    LEFT JOIN outgrown
        ON outgrown.day = dates.day
        AND outgrown.model = models.model
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
