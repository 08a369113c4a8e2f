-- purpose: the log days whose logs do not stand in the links yet
-- grain: one log day
-- reads: unlinked_days
-- parameters: none
SELECT DISTINCT day
FROM unlinked_days
ORDER BY day
