-- purpose: give the touches of one user to a name that stands for nobody, so that credit stays
-- grain: one stored row
-- reads: touchpoints
-- parameters: $user_id, $pseudonym
UPDATE touchpoints
SET user_id = $pseudonym, click_digest = NULL
WHERE user_id = $user_id
