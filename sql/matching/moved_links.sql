-- purpose: the changed links that speak on other days than before, and the other links of users who
--     have, or had until now, more identifiers of that kind than the rule lets them
-- grain: one (kind, digest) and span of days on which a signal is to be judged anew
-- makes: moved_links
-- reads: changed_links, speaking_links, identity_rules, signals
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
        identity_rules.ttl_days
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
    SELECT kind, user_id, scope, count(*) AS changes
    FROM moved
    GROUP BY kind, user_id, scope
),
heavy AS (
    SELECT holders.kind, holders.user_id, holders.scope
    FROM holders
    JOIN speaking_links
        ON speaking_links.kind = holders.kind
        AND speaking_links.user_id = holders.user_id
        AND speaking_links.scope = holders.scope
    GROUP BY
        holders.kind, holders.user_id, holders.scope, holders.changes, speaking_links.most_identifiers
    HAVING count(DISTINCT speaking_links.digest) + holders.changes > speaking_links.most_identifiers
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
    speaking_links.kind,
    speaking_links.digest,
    CAST(NULL AS DATE) AS known_from,
    CAST(NULL AS DATE) AS known_until,
    speaking_links.speaks_from,
    speaking_links.speaks_until
FROM heavy
JOIN speaking_links
    ON speaking_links.kind = heavy.kind
    AND speaking_links.user_id = heavy.user_id
    AND speaking_links.scope = heavy.scope
