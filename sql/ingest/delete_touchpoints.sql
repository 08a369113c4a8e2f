-- purpose: make room for the touchpoints of some log days that are read again
-- grain: one stored row
-- reads: touchpoints
-- parameters: $first_day, $last_day
DELETE FROM touchpoints
WHERE day BETWEEN $first_day AND $last_day
