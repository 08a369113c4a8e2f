-- purpose: the users to whom the identifier asked for is linked, on any day
-- grain: one user
-- reads: asked_identifiers, identity_links, identifiers_seen
-- parameters: none
SELECT identity_links.user_id
FROM identity_links
JOIN asked_identifiers
    ON asked_identifiers.kind = identity_links.kind AND asked_identifiers.digest = identity_links.digest
UNION
SELECT identifiers_seen.user_id
FROM identifiers_seen
JOIN asked_identifiers
    ON asked_identifiers.kind = identifiers_seen.kind
    AND asked_identifiers.digest = identifiers_seen.digest
ORDER BY user_id
