-- purpose: the conversions whose user an identifier other than a click id names: who saw an ad has more
--     click ids, so that what these name must not tell what ads cause. Only links that speak on the log
--     day of the signal count: no other change of a link makes matching, and so this, look at it again
-- grain: one conversion
-- makes: known_users
-- reads: sought_paths, new_users, conversion_signals, signal_identifiers, speaking_links, invalid_users,
--     invalid_conversions, reinstalls
-- parameters: none
CREATE OR REPLACE TEMP TABLE known_users AS
WITH carried AS (
    SELECT DISTINCT
        conversion_signals.conversion_id,
        conversion_signals.day,
        signal_identifiers.kind,
        signal_identifiers.digest
    FROM conversion_signals
    JOIN sought_paths ON sought_paths.conversion_id = conversion_signals.conversion_id
    JOIN signal_identifiers ON signal_identifiers.signal_id = conversion_signals.signal_id
    WHERE conversion_signals.role IN ('first', 'repeat')
        AND signal_identifiers.kind IN ('email', 'phone', 'device_id', 'cookie_id')
),
named AS (
    SELECT carried.conversion_id, carried.kind, carried.digest, min(speaking_links.user_id) AS user_id
    FROM carried
    JOIN speaking_links
        ON speaking_links.kind = carried.kind
        AND speaking_links.digest = carried.digest
        AND carried.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
    WHERE speaking_links.source <> 'signals'
    GROUP BY carried.conversion_id, carried.kind, carried.digest
    HAVING min(speaking_links.user_id) = max(speaking_links.user_id)
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
