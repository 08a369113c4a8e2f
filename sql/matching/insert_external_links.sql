-- purpose: store the links of customer ids that changed
-- grain: one link
-- reads: external_links
-- parameters: none
INSERT INTO identity_links BY NAME
SELECT 'external_id' AS kind, digest, user_id, first_day
FROM external_links
WHERE first_day IS NOT NULL
