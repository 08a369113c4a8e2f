-- purpose: each log day at a glance: signals, matches, and the outcome of its conversions
-- grain: one log day
-- reads: activity, touchpoints, signals, matches, conversion_signals, credits, rejected_rows
-- parameters: none
WITH days AS (
    SELECT day FROM activity
    UNION
    SELECT day FROM touchpoints
    UNION
    SELECT day FROM signals
    UNION
    SELECT day FROM rejected_rows WHERE day IS NOT NULL
),
sent AS (
    SELECT day, count(*) AS signals FROM signals GROUP BY day
),
refused AS (
    SELECT day, count(*) AS rejected_rows FROM rejected_rows WHERE day IS NOT NULL GROUP BY day
),
found AS (
    SELECT day, count(*) AS matched FROM matches WHERE rank = 1 GROUP BY day
),
outcomes AS (
    SELECT conversion_id, any_value(outcome) AS outcome
    FROM credits
    WHERE model = 'last_touch'
    GROUP BY conversion_id
),
converted AS (
    SELECT
        conversion_signals.day,
        count(*) AS conversions,
        count(*) FILTER (WHERE outcomes.outcome = 'touch') AS touch,
        count(*) FILTER (WHERE outcomes.outcome = 'organic') AS organic,
        count(*) FILTER (WHERE outcomes.outcome = 'unmatched') AS unmatched
    FROM conversion_signals
    LEFT JOIN outcomes ON outcomes.conversion_id = conversion_signals.conversion_id
    WHERE conversion_signals.role = 'first'
    GROUP BY conversion_signals.day
)
SELECT
    days.day,
    coalesce(sent.signals, 0) AS signals,
    coalesce(refused.rejected_rows, 0) AS rejected_rows,
    coalesce(found.matched, 0) AS matched,
    CASE
        WHEN sent.signals > 0 THEN round(coalesce(found.matched, 0) / sent.signals, 4)
    END AS match_rate,
    coalesce(converted.conversions, 0) AS conversions,
    coalesce(converted.touch, 0) AS touch,
    coalesce(converted.organic, 0) AS organic,
    coalesce(converted.unmatched, 0) AS unmatched
FROM days
LEFT JOIN sent ON sent.day = days.day
LEFT JOIN refused ON refused.day = days.day
LEFT JOIN found ON found.day = days.day
LEFT JOIN converted ON converted.day = days.day
ORDER BY days.day
