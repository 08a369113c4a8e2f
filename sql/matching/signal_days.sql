-- purpose: the log days that have signals, from one to another
-- grain: one log day
-- reads: signals
-- parameters: $first_day, $last_day
SELECT DISTINCT day
FROM signals
WHERE day BETWEEN $first_day AND $last_day
ORDER BY day
