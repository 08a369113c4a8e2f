-- purpose: by how much was seen of them the users of the paths at work; who was not seen is of quarter 1
-- grain: one path
-- reads: learned_touches, history_users
-- parameters: none
SELECT learned_touches.path, min(coalesce(history_users.quarter, 1)) AS quarter
FROM learned_touches
LEFT JOIN history_users ON history_users.user_id = learned_touches.user_id
GROUP BY learned_touches.path
ORDER BY learned_touches.path
