-- purpose: make room for the links that change
-- grain: one link
-- reads: identity_links, changed_links
-- parameters: none
DELETE FROM identity_links
WHERE (kind, digest, user_id, source) IN (
    SELECT (kind, digest, user_id, source)
    FROM changed_links
    WHERE known_first_day IS NOT NULL
)
