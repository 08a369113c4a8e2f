-- purpose: each identifier that one signal carries, whom it names and what came of it
-- grain: one method, or refused value
-- reads: signal_identifiers, identity_links, speaking_links, identity_rules, signal_evidence,
--     matches, match_conflicts
-- parameters: $signal_id
WITH carried AS (
    SELECT day, kind AS method, digest, recipes, refusal
    FROM signal_identifiers
    WHERE signal_id = $signal_id
),
linked AS (
    SELECT
        carried.day,
        carried.method,
        carried.digest,
        carried.recipes,
        identity_links.user_id,
        identity_links.scope,
        identity_links.source,
        identity_links.first_day,
        identity_links.last_day,
        coalesce(
            carried.day BETWEEN identity_links.first_day - identity_rules.ttl_days
                AND identity_links.last_day + identity_rules.ttl_days,
            false
        ) AS speaks
    FROM carried
    JOIN identity_links
        ON identity_links.kind = carried.method AND identity_links.digest = carried.digest
    LEFT JOIN identity_rules ON identity_rules.kind = carried.method
),
holders AS (
    SELECT DISTINCT day, method, user_id, scope FROM linked WHERE speaks
),
heavy AS (
    -- who has too many identifiers of the kind on that day, as in heavy_users
    SELECT holders.method, holders.user_id, holders.scope
    FROM holders
    JOIN speaking_links
        ON speaking_links.kind = holders.method
        AND speaking_links.user_id = holders.user_id
        AND speaking_links.scope = holders.scope
    WHERE holders.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
    GROUP BY holders.method, holders.user_id, holders.scope, speaking_links.most_identifiers
    HAVING count(DISTINCT speaking_links.digest) > speaking_links.most_identifiers
),
counted AS (
    SELECT
        holders.method,
        count(DISTINCT holders.user_id) AS users,
        min(holders.user_id) AS user_id,
        count(DISTINCT holders.user_id) FILTER (WHERE heavy.user_id IS NULL) AS light_users,
        min(holders.user_id) FILTER (WHERE heavy.user_id IS NULL) AS light_user_id,
        list(DISTINCT holders.user_id ORDER BY holders.user_id)
            FILTER (WHERE heavy.user_id IS NULL) AS light_names
    FROM holders
    LEFT JOIN heavy
        ON heavy.method = holders.method
        AND heavy.user_id = holders.user_id
        AND heavy.scope = holders.scope
    GROUP BY holders.method
),
kinds AS (
    SELECT
        carried.method,
        min(carried.refusal) AS refusal,
        bool_and(carried.digest IS NULL) AS refused,
        count(linked.user_id) > 0 AS known
    FROM carried
    LEFT JOIN linked ON linked.method = carried.method
    GROUP BY carried.method
),
best AS (
    SELECT user_id, method FROM matches WHERE signal_id = $signal_id AND rank = 1
),
conflicts AS (
    SELECT method, reason FROM match_conflicts WHERE signal_id = $signal_id
),
judged AS (
    SELECT
        kinds.method,
        identity_rules.priority,
        identity_rules.ttl_days,
        identity_rules.most_users,
        coalesce(counted.users, 0) AS users,
        coalesce(counted.users - counted.light_users, 0) AS set_aside,
        counted.user_id,
        counted.light_users,
        counted.light_user_id,
        counted.light_names,
        best.user_id AS best_user_id,
        CASE
            WHEN kinds.refused THEN kinds.refusal
            WHEN NOT kinds.known THEN 'unknown'
            WHEN identity_rules.kind IS NULL THEN 'not_in_order'
            WHEN counted.users IS NULL THEN 'expired'
            WHEN conflicts.reason IS NOT NULL THEN conflicts.reason
            WHEN kinds.method = best.method THEN 'followed'
            WHEN best.user_id IS NULL THEN 'not_followed'
            ELSE 'agrees'
        END AS outcome
    FROM kinds
    LEFT JOIN counted ON counted.method = kinds.method
    LEFT JOIN best ON true
    LEFT JOIN conflicts ON conflicts.method = kinds.method
    LEFT JOIN identity_rules ON identity_rules.kind = kinds.method
),
named AS (
    SELECT
        method,
        priority,
        ttl_days,
        most_users,
        users,
        set_aside,
        CASE
            WHEN outcome IN ('followed', 'agrees') THEN best_user_id
            WHEN users = 1 THEN user_id
            WHEN light_users = 1 AND outcome <> 'too_many_users' THEN light_user_id
        END AS user_id,
        CASE WHEN outcome = 'shared_identifier' THEN light_names[1:5] END AS named_users,
        outcome
    FROM judged
),
speaking AS (
    -- the links that the answer rests on; where none speaks, those that there are
    SELECT linked.*
    FROM linked
    JOIN named ON named.method = linked.method
    WHERE (linked.speaks OR named.users = 0)
        AND (named.user_id IS NULL OR linked.user_id = named.user_id)
),
seen AS (
    SELECT
        method,
        min(first_day) AS first_day,
        max(last_day) AS last_day,
        string_agg(DISTINCT source, ', ' ORDER BY source) AS sources,
        list_sort(list_distinct(flatten(list(recipes) FILTER (WHERE recipes IS NOT NULL)))) AS recipes
    FROM speaking
    GROUP BY method
),
lessons AS (
    SELECT speaking.method, signal_evidence.signal_id, signal_evidence.day
    FROM speaking
    JOIN named ON named.method = speaking.method AND named.user_id = speaking.user_id
    JOIN signal_evidence
        ON signal_evidence.kind = speaking.method
        AND signal_evidence.digest = speaking.digest
        AND signal_evidence.user_id = speaking.user_id
    WHERE speaking.source = 'signals'
    QUALIFY row_number() OVER (
        PARTITION BY speaking.method
        ORDER BY signal_evidence.day DESC, signal_evidence.signal_id DESC
    ) = 1
)
SELECT
    named.method,
    named.users,
    named.set_aside,
    named.user_id,
    named.named_users,
    seen.first_day,
    seen.last_day,
    seen.sources,
    seen.recipes,
    lessons.signal_id AS learned_from,
    lessons.day AS learned_day,
    named.ttl_days,
    named.most_users,
    named.outcome
FROM named
LEFT JOIN seen ON seen.method = named.method
LEFT JOIN lessons ON lessons.method = named.method
ORDER BY named.priority, named.method
