-- purpose: make room for the costs of some log days that are read again
-- grain: one stored row
-- reads: costs
-- parameters: $days
DELETE FROM costs
WHERE array_contains($days, day)
