-- purpose: make room for the touchpoints of some log days that are read again
-- grain: one stored row
-- reads: touchpoints
-- parameters: $days
DELETE FROM touchpoints
WHERE array_contains($days, day)
