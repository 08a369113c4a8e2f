-- purpose: give the reason why one user is no person to a name that stands for nobody
-- grain: one user
-- reads: invalid_users
-- parameters: $user_id, $pseudonym
UPDATE invalid_users
SET user_id = $pseudonym
WHERE user_id = $user_id
