-- purpose: give the opportunities to show one user an ad to a name that stands for nobody
-- grain: one conversion and campaign
-- reads: holdout_conversions
-- parameters: $user_id, $pseudonym
UPDATE holdout_conversions
SET user_id = $pseudonym
WHERE user_id = $user_id
