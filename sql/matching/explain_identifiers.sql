-- purpose: each identifier that one signal carries, whom it names and what came of it
-- grain: one method
-- reads: signals, identity_links, matches
-- parameters: $signal_id
WITH signal AS (
    SELECT * FROM signals WHERE signal_id = $signal_id
),
identifiers AS (
    SELECT 'click_id' AS method, day, click_digest AS digest FROM signal
    UNION ALL
    SELECT 'email' AS method, day, email_digest AS digest FROM signal
    UNION ALL
    SELECT 'phone' AS method, day, phone_digest AS digest FROM signal
    UNION ALL
    SELECT 'device_id' AS method, day, device_digest AS digest FROM signal
    UNION ALL
    SELECT 'cookie_id' AS method, day, cookie_digest AS digest FROM signal
    UNION ALL
    SELECT 'external_id' AS method, day, external_digest AS digest FROM signal
),
named AS (
    SELECT
        identifiers.method,
        count(DISTINCT identity_links.user_id) AS users,
        min(identity_links.user_id) AS user_id,
        min(identity_links.first_day) AS first_day
    FROM identifiers
    LEFT JOIN identity_links
        ON identity_links.kind = identifiers.method
        AND identity_links.digest = identifiers.digest
        AND identity_links.first_day <= identifiers.day
    WHERE identifiers.digest IS NOT NULL
    GROUP BY identifiers.method
),
best AS (
    SELECT user_id, method FROM matches WHERE signal_id = $signal_id AND rank = 1
)
SELECT
    named.method,
    named.users,
    CASE WHEN named.users = 1 THEN named.user_id END AS user_id,
    named.first_day,
    CASE
        WHEN named.users = 0 THEN 'unknown'
        WHEN named.users > 1 THEN 'shared_identifier'
        WHEN named.method = best.method THEN 'followed'
        WHEN best.user_id IS NULL THEN 'not_followed'
        WHEN named.user_id = best.user_id THEN 'agrees'
        ELSE 'other_user'
    END AS outcome
FROM named
LEFT JOIN best ON true
ORDER BY named.method
