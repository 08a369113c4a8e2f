-- purpose: the persons seen in some log days, by how much was seen of each: quarter 1 the least
-- grain: one user
-- makes: history_users
-- reads: activity, invalid_users
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE history_users AS
WITH watched AS (
    SELECT activity.user_id, count(*) AS observations
    FROM activity
    LEFT JOIN invalid_users ON invalid_users.user_id = activity.user_id
    WHERE activity.day BETWEEN $first_day AND $last_day AND invalid_users.user_id IS NULL
    GROUP BY activity.user_id
)
SELECT user_id, CAST(ntile(4) OVER (ORDER BY observations, user_id) AS INTEGER) AS quarter
FROM watched
