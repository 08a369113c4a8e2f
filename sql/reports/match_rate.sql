-- purpose: how many signals of each advertiser found a user, and by which identifier
-- grain: one advertiser and method; method (any) stands for all together
-- reads: signals, matches
-- parameters: none
WITH best AS (
    SELECT signal_id, method FROM matches WHERE declared
),
sent AS (
    SELECT advertiser_id, count(*) AS signals
    FROM signals
    GROUP BY advertiser_id
),
found AS (
    SELECT signals.advertiser_id, coalesce(best.method, '(any)') AS method, count(*) AS matched
    FROM signals
    JOIN best ON best.signal_id = signals.signal_id
    GROUP BY GROUPING SETS ((signals.advertiser_id, best.method), (signals.advertiser_id))
),
methods AS (
    SELECT '(any)' AS method
    UNION
    SELECT method FROM found
)
SELECT
    sent.advertiser_id,
    methods.method,
    sent.signals,
    coalesce(found.matched, 0) AS matched,
    round(coalesce(found.matched, 0) / sent.signals, 4) AS match_rate
FROM sent
CROSS JOIN methods
LEFT JOIN found ON found.advertiser_id = sent.advertiser_id AND found.method = methods.method
ORDER BY sent.advertiser_id, methods.method
