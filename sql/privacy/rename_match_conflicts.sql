-- purpose: give the conflicts of one user to a name that stands for nobody
-- grain: one conflict
-- reads: match_conflicts
-- parameters: $user_id, $pseudonym
UPDATE match_conflicts
SET user_id = $pseudonym
WHERE user_id = $user_id
