-- purpose: delete what one user was seen to do
-- grain: one stored row
-- reads: activity
-- parameters: $user_id
DELETE FROM activity
WHERE user_id = $user_id
