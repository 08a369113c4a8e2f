-- purpose: give the credit of one user to a name that stands for nobody
-- grain: one credit row
-- reads: credits
-- parameters: $user_id, $pseudonym
UPDATE credits
SET user_id = $pseudonym
WHERE user_id = $user_id
