-- purpose: make room for the links whose first day changes, and drop those that are lost
-- grain: one link
-- reads: identity_links, new_links, lost_links
-- parameters: none
DELETE FROM identity_links
WHERE (kind, digest, user_id) IN (
    SELECT (kind, digest, user_id) FROM new_links
    UNION ALL
    SELECT (kind, digest, user_id) FROM lost_links
)
