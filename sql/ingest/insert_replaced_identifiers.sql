-- purpose: note the identifiers of rows that are about to be deleted, whose links will change
-- grain: one identifier
-- reads: identifiers_seen
-- parameters: $source, $days
INSERT INTO replaced_identifiers BY NAME
SELECT DISTINCT kind, digest
FROM identifiers_seen
WHERE source = $source AND array_contains($days, day)
