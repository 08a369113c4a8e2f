-- purpose: delete the links of one user
-- grain: one link
-- reads: identity_links
-- parameters: $user_id
DELETE FROM identity_links
WHERE user_id = $user_id
