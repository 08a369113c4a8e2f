-- purpose: each log day at a glance: signals, matches, and the credit of its conversions by outcome
--     under last_touch (touch, organic, unmatched, rejected_credit)
-- grain: one log day
-- reads: activity, touchpoints, signals, matches, conversion_signals, conversions, credits,
--     rejected_rows, pending_signals
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
    SELECT day, count(*) AS rejected FROM rejected_rows WHERE day IS NOT NULL GROUP BY day
),
found AS (
    SELECT day, count(*) AS matched FROM matches WHERE declared GROUP BY day
),
converted AS (
    SELECT
        conversion_signals.day,
        count(*) AS conversions,
        count(*) FILTER (WHERE conversions.status = 'retracted') AS retracted
    FROM conversion_signals
    JOIN conversions ON conversions.conversion_id = conversion_signals.conversion_id
    WHERE conversion_signals.role = 'first'
    GROUP BY conversion_signals.day
),
credited AS (
    SELECT
        conversion_signals.day,
        sum(credits.credit_micros) FILTER (WHERE credits.outcome = 'touch') AS touch,
        sum(credits.credit_micros) FILTER (WHERE credits.outcome = 'organic') AS organic,
        sum(credits.credit_micros) FILTER (WHERE credits.outcome = 'unmatched') AS unmatched,
        sum(credits.credit_micros) FILTER (WHERE credits.outcome = 'rejected') AS rejected
    FROM credits
    JOIN conversion_signals
        ON conversion_signals.conversion_id = credits.conversion_id
        AND conversion_signals.role = 'first'
    WHERE credits.model = 'last_touch'
    GROUP BY conversion_signals.day
),
waiting AS (
    -- ingested and not yet credited, or matched anew since
    SELECT signals.day, count(*) AS pending
    FROM signals
    LEFT JOIN conversion_signals ON conversion_signals.signal_id = signals.signal_id
    LEFT JOIN (SELECT DISTINCT signal_id FROM pending_signals) AS handed_over
        ON handed_over.signal_id = signals.signal_id
    WHERE conversion_signals.signal_id IS NULL OR handed_over.signal_id IS NOT NULL
    GROUP BY signals.day
)
SELECT
    days.day AS log_day,
    coalesce(sent.signals, 0) AS signals,
    coalesce(refused.rejected, 0) AS rejected,
    coalesce(found.matched, 0) AS matched,
    coalesce(converted.conversions, 0) AS conversions,
    round(coalesce(credited.touch, 0) / 1e6, 2) AS touch,
    round(coalesce(credited.organic, 0) / 1e6, 2) AS organic,
    round(coalesce(credited.unmatched, 0) / 1e6, 2) AS unmatched,
    round(coalesce(credited.rejected, 0) / 1e6, 2) AS rejected_credit,
    coalesce(converted.retracted, 0) AS retracted,
    coalesce(waiting.pending, 0) AS pending
FROM days
LEFT JOIN sent ON sent.day = days.day
LEFT JOIN refused ON refused.day = days.day
LEFT JOIN found ON found.day = days.day
LEFT JOIN converted ON converted.day = days.day
LEFT JOIN credited ON credited.day = days.day
LEFT JOIN waiting ON waiting.day = days.day
ORDER BY log_day
