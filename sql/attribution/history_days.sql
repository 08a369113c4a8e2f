-- purpose: the first of some log days that has touches: before it nobody was watched
-- grain: one row; null where none has
-- reads: touchpoints
-- parameters: $first_day, $last_day
SELECT min(day) AS first_day
FROM touchpoints
WHERE day BETWEEN $first_day AND $last_day
