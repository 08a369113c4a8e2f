-- purpose: make room for the activity of some log days that are read again
-- grain: one stored row
-- reads: activity
-- parameters: $first_day, $last_day
DELETE FROM activity
WHERE day BETWEEN $first_day AND $last_day
