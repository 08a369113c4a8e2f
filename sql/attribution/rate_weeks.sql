-- purpose: the weeks of conversions whose probabilities what was done may change: those that it concerns and
--     the three after, as far as there are conversions
-- grain: one week, by its Monday
-- reads: work_conversions, stale_users, conversions
-- parameters: $day
WITH changed AS (
    SELECT day FROM work_conversions
    UNION
    SELECT CAST(make_timestamp(time_us) AS DATE) AS day FROM stale_users
    UNION
    SELECT CAST($day AS DATE) AS day
),
weeks AS (
    SELECT DISTINCT CAST(date_trunc('week', day) AS DATE) AS week FROM conversions
)
SELECT DISTINCT weeks.week
FROM weeks
JOIN changed
    ON changed.day >= weeks.week - 21
    AND changed.day <= weeks.week + 6
ORDER BY weeks.week
