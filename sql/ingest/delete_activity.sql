-- purpose: make room for the activity of some log days that are read again
-- grain: one stored row
-- reads: activity
-- parameters: $days
DELETE FROM activity
WHERE array_contains($days, day)
