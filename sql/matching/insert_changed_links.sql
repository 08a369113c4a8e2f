-- purpose: store the links that change, as they are now
-- grain: one link
-- reads: changed_links
-- parameters: none
INSERT INTO identity_links BY NAME
SELECT kind, digest, user_id, source, scope, first_day, last_day, observations
FROM changed_links
WHERE first_day IS NOT NULL
