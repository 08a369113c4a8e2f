-- purpose: make room for what became of the users who changed
-- grain: one user
-- reads: invalid_users, changed_invalid_users
-- parameters: none
DELETE FROM invalid_users
WHERE user_id IN (SELECT user_id FROM changed_invalid_users)
