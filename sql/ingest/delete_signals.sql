-- purpose: make room for the signals of some log days that are read again
-- grain: one stored row
-- reads: signals
-- parameters: $days
DELETE FROM signals
WHERE array_contains($days, day)
