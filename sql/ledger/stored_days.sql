-- purpose: the log days that have been ingested
-- grain: one day
-- reads: activity, touchpoints, signals
-- parameters: none
SELECT day FROM activity
UNION
SELECT day FROM touchpoints
UNION
SELECT day FROM signals
ORDER BY day
