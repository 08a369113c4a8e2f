-- purpose: make room for the costs of some log days that are read again
-- grain: one stored row
-- reads: costs
-- parameters: $first_day, $last_day
DELETE FROM costs
WHERE day BETWEEN $first_day AND $last_day
