-- purpose: how many identifiers the graph knows, and how many of them name one user on the newest log day
-- grain: one kind of identifier that is followed
-- reads: activity, touchpoints, signals, identity_links, identity_rules
-- parameters: none
WITH newest AS (
    SELECT max(day) AS day
    FROM (
        SELECT max(day) AS day FROM activity
        UNION ALL
        SELECT max(day) AS day FROM touchpoints
        UNION ALL
        SELECT max(day) AS day FROM signals
    )
),
known AS (
    SELECT
        identity_links.kind,
        identity_links.digest,
        identity_links.user_id,
        identity_links.source,
        identity_links.scope,
        identity_rules.most_users,
        identity_rules.most_identifiers,
        identity_links.last_day + identity_rules.ttl_days >= newest.day AS speaks
    FROM identity_links
    JOIN identity_rules ON identity_rules.kind = identity_links.kind
    CROSS JOIN newest
),
heavy AS (
    SELECT kind, user_id, scope
    FROM known
    WHERE speaks
    GROUP BY kind, user_id, scope
    HAVING count(DISTINCT digest) > any_value(most_identifiers)
),
named AS (
    SELECT
        known.kind,
        known.digest,
        any_value(known.most_users) AS most_users,
        count(DISTINCT CASE WHEN known.speaks THEN known.user_id END) AS users,
        count(DISTINCT CASE WHEN known.speaks AND heavy.user_id IS NULL THEN known.user_id END)
            AS light_users
    FROM known
    LEFT JOIN heavy
        ON heavy.kind = known.kind AND heavy.user_id = known.user_id AND heavy.scope = known.scope
    GROUP BY known.kind, known.digest
),
states AS (
    SELECT
        kind,
        count(*) AS identifiers,
        count(*) FILTER (WHERE users <= most_users AND light_users = 1) AS naming_one_user,
        count(*) FILTER (WHERE users <= most_users AND light_users > 1) AS shared,
        count(*) FILTER (WHERE users > most_users) AS too_many_users,
        count(*) FILTER (WHERE users BETWEEN 1 AND most_users AND light_users = 0) AS too_many_identifiers,
        count(*) FILTER (WHERE users = 0) AS expired
    FROM named
    GROUP BY kind
),
sources AS (
    SELECT
        kind,
        count(DISTINCT user_id) AS users,
        count(*) AS links,
        count(*) FILTER (WHERE source = 'activity') AS activity,
        count(*) FILTER (WHERE source = 'touchpoints') AS touchpoints,
        count(*) FILTER (WHERE source = 'signals') AS signals
    FROM known
    GROUP BY kind
),
crowded AS (
    SELECT kind, count(DISTINCT user_id) AS heavy_users FROM heavy GROUP BY kind
)
SELECT
    identity_rules.kind,
    coalesce(states.identifiers, 0) AS identifiers,
    coalesce(states.naming_one_user, 0) AS naming_one_user,
    coalesce(states.shared, 0) AS shared,
    coalesce(states.too_many_users, 0) AS too_many_users,
    coalesce(states.too_many_identifiers, 0) AS too_many_identifiers,
    coalesce(states.expired, 0) AS expired,
    coalesce(sources.users, 0) AS users,
    coalesce(crowded.heavy_users, 0) AS heavy_users,
    coalesce(sources.links, 0) AS links,
    coalesce(sources.activity, 0) AS activity,
    coalesce(sources.touchpoints, 0) AS touchpoints,
    coalesce(sources.signals, 0) AS signals
FROM identity_rules
LEFT JOIN states ON states.kind = identity_rules.kind
LEFT JOIN sources ON sources.kind = identity_rules.kind
LEFT JOIN crowded ON crowded.kind = identity_rules.kind
ORDER BY identity_rules.kind
