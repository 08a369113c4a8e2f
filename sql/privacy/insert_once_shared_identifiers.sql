-- purpose: note the identifiers of the users who are forgotten that stay, as others have them too:
--     who is left alone with one must not be taken for its only user
-- grain: one (kind, digest)
-- reads: identity_links, identifiers_seen, removed_identifiers, once_shared_identifiers
-- parameters: $user_ids
INSERT INTO once_shared_identifiers BY NAME
WITH linked AS (
    SELECT kind, digest, list_contains(CAST($user_ids AS VARCHAR[]), user_id) AS is_forgotten
    FROM identity_links
    UNION ALL
    SELECT kind, digest, list_contains(CAST($user_ids AS VARCHAR[]), user_id) AS is_forgotten
    FROM identifiers_seen
),
own AS (
    SELECT DISTINCT kind, digest FROM linked WHERE is_forgotten
),
others AS (
    SELECT kind, digest FROM linked WHERE NOT is_forgotten
)
SELECT own.kind, own.digest
FROM own
SEMI JOIN others ON others.kind = own.kind AND others.digest = own.digest
ANTI JOIN removed_identifiers AS removed ON removed.kind = own.kind AND removed.digest = own.digest
ANTI JOIN once_shared_identifiers AS known ON known.kind = own.kind AND known.digest = own.digest
