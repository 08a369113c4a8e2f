-- purpose: make room for the links of customer ids that changed
-- grain: one link
-- reads: identity_links, external_links
-- parameters: none
DELETE FROM identity_links
WHERE kind = 'external_id'
    AND (digest, user_id) IN (SELECT (digest, user_id) FROM external_links)
