-- purpose: the changed links that speak on other days than before, and the other links of users who
--     have, or had until now, more identifiers of that kind than the rule lets them
-- grain: one (kind, digest) and span of days on which a signal is to be judged anew
-- makes: moved_links
-- reads: changed_links, identity_links, identity_rules, signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE moved_links AS
WITH newest AS (
    SELECT max(day) AS day FROM signals
),
moved AS (
    SELECT
        changed_links.kind,
        changed_links.digest,
        changed_links.user_id,
        changed_links.scope,
        changed_links.known_first_day,
        changed_links.known_last_day,
        changed_links.first_day,
        changed_links.last_day,
        identity_rules.ttl_days,
        identity_rules.most_identifiers
    FROM changed_links
    JOIN identity_rules ON identity_rules.kind = changed_links.kind
    CROSS JOIN newest
    WHERE changed_links.known_first_day IS NULL
        OR changed_links.first_day IS NULL
        OR changed_links.first_day <> changed_links.known_first_day
        OR changed_links.last_day < changed_links.known_last_day
        -- seen again, and there are signals after the day until which it spoke
        OR (
            changed_links.last_day > changed_links.known_last_day
            AND changed_links.known_last_day + identity_rules.ttl_days < newest.day
        )
),
holders AS (
    SELECT kind, user_id, scope, any_value(most_identifiers) AS most_identifiers, count(*) AS changes
    FROM moved
    GROUP BY kind, user_id, scope
),
heavy AS (
    SELECT holders.kind, holders.user_id, holders.scope
    FROM holders
    JOIN identity_links
        ON identity_links.kind = holders.kind
        AND identity_links.user_id = holders.user_id
        AND identity_links.scope = holders.scope
    GROUP BY holders.kind, holders.user_id, holders.scope, holders.changes, holders.most_identifiers
    HAVING count(DISTINCT identity_links.digest) + holders.changes > holders.most_identifiers
)
SELECT
    kind,
    digest,
    known_first_day - ttl_days AS known_from,
    known_last_day + ttl_days AS known_until,
    first_day - ttl_days AS speaks_from,
    last_day + ttl_days AS speaks_until
FROM moved
UNION -- once each, however many users of an identifier begin and end on the same days
SELECT
    identity_links.kind,
    identity_links.digest,
    CAST(NULL AS DATE) AS known_from,
    CAST(NULL AS DATE) AS known_until,
    identity_links.first_day - identity_rules.ttl_days AS speaks_from,
    identity_links.last_day + identity_rules.ttl_days AS speaks_until
FROM heavy
JOIN identity_links
    ON identity_links.kind = heavy.kind
    AND identity_links.user_id = heavy.user_id
    AND identity_links.scope = heavy.scope
JOIN identity_rules ON identity_rules.kind = heavy.kind
