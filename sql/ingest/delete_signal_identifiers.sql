-- purpose: make room for the identifiers of signals of some log days that are read again
-- grain: one identifier
-- reads: signal_identifiers
-- parameters: $days
DELETE FROM signal_identifiers
WHERE array_contains($days, day)
