-- purpose: what is known of each identifier asked for: the users to whom it is linked, on any day,
--     and whether somebody shared it who is forgotten by now
-- grain: one place among what was asked for; none where nothing is known
-- reads: asked_identifiers, identity_links, identifiers_seen, signal_identifiers,
--     replaced_identifiers, once_shared_identifiers
-- parameters: none
WITH stored AS (
    SELECT kind, digest, user_id, false AS once_shared FROM identity_links
    UNION ALL
    SELECT kind, digest, user_id, false AS once_shared FROM identifiers_seen
    UNION ALL
    SELECT kind, digest, NULL AS user_id, false AS once_shared FROM signal_identifiers
    UNION ALL
    SELECT kind, digest, NULL AS user_id, false AS once_shared FROM replaced_identifiers
    UNION ALL
    SELECT kind, digest, NULL AS user_id, true AS once_shared FROM once_shared_identifiers
)
SELECT
    asked_identifiers.place,
    array_agg(DISTINCT stored.user_id) FILTER (WHERE stored.user_id IS NOT NULL) AS user_ids,
    bool_or(stored.once_shared) AS once_shared
FROM asked_identifiers
JOIN stored ON stored.kind = asked_identifiers.kind AND stored.digest = asked_identifiers.digest
GROUP BY asked_identifiers.place
ORDER BY asked_identifiers.place
