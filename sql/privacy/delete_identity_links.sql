-- purpose: delete the identifiers that are removed from the table identity_links
-- grain: one link
-- reads: identity_links, removed_identifiers
-- parameters: none
DELETE FROM identity_links
WHERE (kind, digest) IN (SELECT (kind, digest) FROM removed_identifiers)
