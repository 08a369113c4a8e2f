-- purpose: store the links that one log day gave first, and the new first day of those it lost
-- grain: one link
-- reads: new_links, redated_links
-- parameters: none
INSERT INTO identity_links BY NAME
SELECT kind, digest, user_id, first_day FROM new_links
UNION ALL
SELECT kind, digest, user_id, first_day FROM redated_links
