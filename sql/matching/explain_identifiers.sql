-- purpose: each identifier that one signal carries, whom it names and what came of it
-- grain: one method, or refused value
-- reads: signal_identifiers, identity_links, identity_rules, matches, match_conflicts
-- parameters: $signal_id
WITH carried AS (
    SELECT day, kind AS method, digest, refusal
    FROM signal_identifiers
    WHERE signal_id = $signal_id
),
speaking AS (
    SELECT
        carried.method,
        identity_links.user_id,
        min(identity_links.first_day) AS first_day,
        max(identity_links.last_day) AS last_day,
        string_agg(DISTINCT identity_links.source, ', ' ORDER BY identity_links.source) AS sources
    FROM carried
    JOIN identity_links
        ON identity_links.kind = carried.method AND identity_links.digest = carried.digest
    JOIN identity_rules ON identity_rules.kind = carried.method
    WHERE carried.day BETWEEN
            identity_links.first_day - identity_rules.ttl_days
            AND identity_links.last_day + identity_rules.ttl_days
    GROUP BY carried.method, identity_links.user_id
),
named AS (
    SELECT
        carried.method,
        min(carried.refusal) AS refusal,
        bool_and(carried.digest IS NULL) AS refused,
        count(DISTINCT speaking.user_id) AS users,
        min(speaking.user_id) AS user_id,
        min(speaking.first_day) AS first_day,
        max(speaking.last_day) AS last_day,
        min(speaking.sources) AS sources
    FROM carried
    LEFT JOIN speaking ON speaking.method = carried.method
    GROUP BY carried.method
),
best AS (
    SELECT user_id, method FROM matches WHERE signal_id = $signal_id AND rank = 1
),
conflicts AS (
    SELECT method, reason FROM match_conflicts WHERE signal_id = $signal_id
)
SELECT
    named.method,
    named.users,
    CASE WHEN named.users = 1 THEN named.user_id END AS user_id,
    named.first_day,
    named.last_day,
    CASE WHEN named.users = 1 THEN named.sources END AS sources,
    CASE
        WHEN named.refused THEN named.refusal
        WHEN named.users = 0 THEN 'unknown'
        WHEN conflicts.reason IS NOT NULL THEN conflicts.reason
        WHEN named.method = best.method THEN 'followed'
        WHEN best.user_id IS NULL THEN 'not_followed'
        ELSE 'agrees'
    END AS outcome
FROM named
LEFT JOIN best ON true
LEFT JOIN conflicts ON conflicts.method = named.method
LEFT JOIN identity_rules ON identity_rules.kind = named.method
ORDER BY identity_rules.priority, named.method
