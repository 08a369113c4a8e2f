-- purpose: the conversions whose user an identifier other than a click id names. Only links that speak on
--     the log day of the signal count: no other change of a link makes matching, and so this, look at it again
-- grain: one conversion
-- makes: known_users
-- reads: sought_paths, new_users, names_without_clicks, invalid_users, invalid_conversions, reinstalls
-- parameters: none
CREATE OR REPLACE TEMP TABLE known_users AS
WITH sought AS (
    SELECT DISTINCT conversion_id FROM sought_paths
),
named AS (
    SELECT names_without_clicks.conversion_id, min(names_without_clicks.user_id) AS user_id
    FROM names_without_clicks
    JOIN sought ON sought.conversion_id = names_without_clicks.conversion_id
    GROUP BY
        names_without_clicks.conversion_id, names_without_clicks.day, names_without_clicks.kind,
        names_without_clicks.digest
    HAVING min(names_without_clicks.user_id) = max(names_without_clicks.user_id)
),
users AS (
    SELECT DISTINCT conversion_id, user_id
    FROM named
)
SELECT users.conversion_id, users.user_id
FROM users
JOIN new_users
    ON new_users.conversion_id = users.conversion_id
    AND new_users.user_id = users.user_id
    AND new_users.best
LEFT JOIN invalid_users ON invalid_users.user_id = users.user_id
LEFT JOIN invalid_conversions ON invalid_conversions.conversion_id = users.conversion_id
LEFT JOIN reinstalls
    ON reinstalls.conversion_id = users.conversion_id
    AND reinstalls.user_id = users.user_id
WHERE invalid_users.user_id IS NULL
    AND invalid_conversions.conversion_id IS NULL
    AND reinstalls.conversion_id IS NULL
