-- purpose: delete the identifiers that are removed from the table once_shared_identifiers
-- grain: one identifier
-- reads: once_shared_identifiers, removed_identifiers
-- parameters: none
DELETE FROM once_shared_identifiers
WHERE (kind, digest) IN (SELECT (kind, digest) FROM removed_identifiers)
