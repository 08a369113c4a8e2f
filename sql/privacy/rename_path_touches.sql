-- purpose: give the touches in the paths of one user to a name that stands for nobody
-- grain: one touch of one conversion
-- reads: path_touches
-- parameters: $user_id, $pseudonym
UPDATE path_touches
SET user_id = $pseudonym
WHERE user_id = $user_id
