-- purpose: blank the network addresses in clear that are older than may be kept
-- grain: one row
-- reads: activity, signals
-- parameters: $keep_days
UPDATE signals
SET ip = NULL
WHERE ip IS NOT NULL
    AND day + $keep_days <= (
        SELECT max(day)
        FROM (SELECT day FROM activity UNION ALL SELECT day FROM signals)
    )
