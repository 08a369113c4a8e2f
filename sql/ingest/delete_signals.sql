-- purpose: make room for the signals of some log days that are read again
-- grain: one stored row
-- reads: signals
-- parameters: $first_day, $last_day
DELETE FROM signals
WHERE day BETWEEN $first_day AND $last_day
