-- purpose: whom each identifier of the signals at work names on the signal's log day
-- grain: one (signal_id, method); user_id is null, and refusal says why, where it names nobody
-- makes: named_users
-- reads: spoken_links, heavy_users, carried_values, crowded_values, identity_rules
-- parameters: none
CREATE OR REPLACE TEMP TABLE named_users AS
WITH judged AS (
    SELECT
        spoken_links.day,
        spoken_links.signal_id,
        spoken_links.method,
        spoken_links.user_id,
        heavy_users.user_id IS NULL AS counts
    FROM spoken_links
    LEFT JOIN heavy_users
        ON heavy_users.day = spoken_links.day
        AND heavy_users.kind = spoken_links.method
        AND heavy_users.user_id = spoken_links.user_id
        AND heavy_users.scope = spoken_links.scope
),
counted AS (
    SELECT
        day,
        signal_id,
        method,
        count(DISTINCT user_id) AS users,
        count(DISTINCT CASE WHEN counts THEN user_id END) AS light_users,
        min(CASE WHEN counts THEN user_id END) AS user_id
    FROM judged
    GROUP BY day, signal_id, method
    UNION ALL
    SELECT
        carried_values.day,
        carried_values.signal_id,
        carried_values.method,
        crowded_values.users,
        0 AS light_users,
        CAST(NULL AS VARCHAR) AS user_id
    FROM carried_values
    JOIN crowded_values
        ON crowded_values.day = carried_values.day
        AND crowded_values.method = carried_values.method
        AND crowded_values.digests = carried_values.digests
)
SELECT
    counted.day,
    counted.signal_id,
    counted.method,
    identity_rules.priority,
    identity_rules.is_unique,
    counted.users,
    CASE
        WHEN counted.users > identity_rules.most_users THEN 'too_many_users'
        WHEN counted.light_users = 0 THEN 'too_many_identifiers'
        WHEN counted.light_users > 1 THEN 'shared_identifier'
    END AS refusal,
    CASE
        WHEN counted.users <= identity_rules.most_users AND counted.light_users = 1
            THEN counted.user_id
    END AS user_id
FROM counted
JOIN identity_rules ON identity_rules.kind = counted.method
