-- purpose: until which log day the credit of each date may still change under each model as rows, windows and
--     weeks run out; what comes later still (adjustments, new matches) is told by restated_days
-- grain: one date of conversions or touches, and model (null: nothing is credited yet). By date of the
--     conversion rows may come late; by date of the touch conversions may also follow it; what
--     calibrated_last_touch knows of causes is of whole weeks, to their Sunday. Credit of a fitted model that
--     knows few log days is given anew by one of a quarter more, and again, until there are history_days of
--     them: told is the last day on which that may be, so that it moves no later while log days come in turn.
--     Where fits were refused until then, the day on which the date leaves the history_days is told instead.
--     Before the first fit is accepted there are no rows; that fit credits what waited for it at once. Null:
--     the warehouse knows no such setting yet
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
fits AS (
    -- equal content has one version: the most days that it was fitted on
    SELECT
        model,
        model_version,
        max(first_day) AS first_day,
        max(last_day) AS last_day,
        max(last_day - first_day + 1) AS days
    FROM credit_models
    WHERE status = 'accepted'
    GROUP BY model, model_version
),
young AS (
    -- versions that others of a quarter more log days are still to outgrow, the last of them on outgrown_by: it
    -- needs history_days of log days at most, and is fitted at once when there are enough. But refits that come
    -- sooner than the quarter keep it back to the next of them
    SELECT
        fits.model,
        fits.model_version,
        fits.first_day,
        max(fits.days) OVER later IS NULL AS is_newest,
        fits.first_day + told.history_days - 1
            + CASE WHEN told.refit_days < (4 * told.history_days // 5 + 3) // 4 THEN told.refit_days - 1 ELSE 0 END
            AS outgrown_by
    FROM fits
    CROSS JOIN told
    WINDOW later AS (
        PARTITION BY fits.model
        ORDER BY fits.last_day
        ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING
    )
    QUALIFY fits.days <= 4 * told.history_days // 5
        AND coalesce(4 * max(fits.days) OVER later // 5 < fits.days, true)
),
credited AS (
    SELECT DISTINCT day, model, model_version FROM credits
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
        told.history_days,
        newest.log_day
    FROM converted
    FULL JOIN touched ON touched.day = converted.day
    CROSS JOIN told
    CROSS JOIN newest
),
complete AS (
    -- the log days with which all rows of a date have come
    SELECT
        dates.day,
        models.model,
        dates.conversions,
        dates.last_conversion_day,
        CASE
            WHEN models.model = 'calibrated_last_touch' THEN CAST(date_trunc('week', dates.day) AS DATE) + 6
            ELSE dates.day
        END + dates.late_days AS by_date,
        CASE
            WHEN models.model = 'calibrated_last_touch'
                THEN CAST(date_trunc('week', dates.last_conversion_day) AS DATE) + 6
            ELSE dates.last_conversion_day
        END + dates.late_days AS by_click_date,
        dates.history_days,
        dates.log_day
    FROM dates
    LEFT JOIN models ON true
),
outgrown AS (
    -- what a young version has credited, and what the newest may credit yet. What came before the log days of a
    -- version is not on those of a later one
    SELECT
        complete.day,
        complete.model,
        max(young.outgrown_by) FILTER (
            WHERE young.first_day <= complete.by_date
                AND (
                    credited.day = complete.day
                    OR young.is_newest AND complete.log_day < young.outgrown_by
                )
        ) AS by_date,
        max(young.outgrown_by) FILTER (
            WHERE young.first_day <= complete.by_click_date
                AND (
                    credited.day IS NOT NULL
                    OR young.is_newest AND complete.log_day < young.outgrown_by
                )
        ) AS by_click_date
    FROM complete
    JOIN young ON young.model = complete.model
    LEFT JOIN credited
        ON credited.model = young.model
        AND credited.model_version = young.model_version
        AND credited.day BETWEEN complete.day AND complete.last_conversion_day
    GROUP BY complete.day, complete.model
),
ends AS (
    -- no refit moves what was told before its log days
    SELECT
        complete.day,
        complete.model,
        complete.conversions,
        CASE
            WHEN outgrown.by_date IS NULL THEN complete.by_date
            WHEN complete.log_day < outgrown.by_date
                THEN greatest(complete.by_date, least(outgrown.by_date, complete.by_date + complete.history_days - 1))
            ELSE complete.by_date + complete.history_days - 1
        END AS final_by_date,
        CASE
            WHEN outgrown.by_click_date IS NULL THEN complete.by_click_date
            WHEN complete.log_day < outgrown.by_click_date
                THEN greatest(
                    complete.by_click_date,
                    least(outgrown.by_click_date, complete.by_click_date + complete.history_days - 1)
                )
            ELSE complete.by_click_date + complete.history_days - 1
        END AS final_by_click_date,
        complete.log_day
    FROM complete
    LEFT JOIN outgrown
        ON outgrown.day = complete.day
        AND outgrown.model = complete.model
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
