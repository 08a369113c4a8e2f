-- purpose: delete the identifiers that are removed from the table replaced_identifiers
-- grain: one identifier
-- reads: replaced_identifiers, removed_identifiers
-- parameters: none
DELETE FROM replaced_identifiers
WHERE (kind, digest) IN (SELECT (kind, digest) FROM removed_identifiers)
