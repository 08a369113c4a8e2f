-- purpose: the log days that were ingested and not attributed since: their costs are stored, their credit is not,
--     or is that of before they were read again
-- grain: one log day; matched: whether it was matched since
-- reads: runs
-- parameters: none
WITH newest AS (
    SELECT
        day,
        max(finished_at) FILTER (WHERE stage = 'ingest') AS ingested_at,
        max(finished_at) FILTER (WHERE stage = 'match') AS matched_at,
        max(finished_at) FILTER (WHERE stage = 'attribute') AS attributed_at
    FROM runs
    WHERE status = 'done' AND day IS NOT NULL
    GROUP BY day
)
SELECT
    day,
    coalesce(matched_at >= ingested_at, false) AS matched
FROM newest
WHERE ingested_at IS NOT NULL AND coalesce(attributed_at < ingested_at, true)
ORDER BY day
