-- purpose: make room for the counts of refused identifiers of some log days that are read again
-- grain: one count
-- reads: refused_identifiers
-- parameters: $table_name, $days
DELETE FROM refused_identifiers
WHERE table_name = $table_name AND array_contains($days, day)
