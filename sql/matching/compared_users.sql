-- purpose: the users who compete for signals, numbered from 0 in their order, and how much was seen of each in the window
-- grain: one user with activity
-- reads: candidate_pairs, active_users
-- parameters: none
WITH competing AS (
    SELECT DISTINCT user_id FROM candidate_pairs
)
SELECT
    active_users.*,
    CAST(row_number() OVER (ORDER BY active_users.user_id) - 1 AS INTEGER) AS user_number
FROM active_users
JOIN competing ON competing.user_id = active_users.user_id
ORDER BY user_number
