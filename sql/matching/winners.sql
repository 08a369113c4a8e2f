-- purpose: the user of each signal at work: named by the most trusted identifier that names one, else
--     the one user that shared identifiers of several kinds have in common; a unique identifier that
--     names another user vetoes what a kind that is not unique decided
-- grain: one signal with a named user
-- makes: winners
-- reads: named_users, spoken_links, heavy_users, identity_rules
-- parameters: none
CREATE OR REPLACE TEMP TABLE winners AS
WITH ranked AS (
    SELECT
        day,
        signal_id,
        user_id,
        method,
        is_unique,
        row_number() OVER (PARTITION BY signal_id ORDER BY priority) AS place
    FROM named_users
    WHERE user_id IS NOT NULL
),
named AS (
    SELECT day, signal_id, user_id, method, is_unique
    FROM ranked
    WHERE place = 1
),
shared AS (
    SELECT named_users.day, named_users.signal_id, named_users.method, named_users.priority
    FROM named_users
    LEFT JOIN named ON named.signal_id = named_users.signal_id
    WHERE named_users.refusal = 'shared_identifier' AND named.signal_id IS NULL
),
kinds AS (
    SELECT signal_id, count(*) AS kinds, min(priority) AS priority
    FROM shared
    GROUP BY signal_id
),
holders AS (
    SELECT shared.day, shared.signal_id, spoken_links.user_id, count(DISTINCT shared.method) AS kinds
    FROM shared
    JOIN spoken_links
        ON spoken_links.signal_id = shared.signal_id AND spoken_links.method = shared.method
    LEFT JOIN heavy_users
        ON heavy_users.day = spoken_links.day
        AND heavy_users.kind = spoken_links.method
        AND heavy_users.user_id = spoken_links.user_id
        AND heavy_users.scope = spoken_links.scope
    WHERE heavy_users.user_id IS NULL
    GROUP BY shared.day, shared.signal_id, spoken_links.user_id
),
common AS (
    SELECT
        holders.day,
        holders.signal_id,
        min(holders.user_id) AS user_id,
        min(kinds.priority) AS priority
    FROM holders
    JOIN kinds ON kinds.signal_id = holders.signal_id
    WHERE kinds.kinds > 1 AND holders.kinds = kinds.kinds
    GROUP BY holders.day, holders.signal_id
    HAVING count(*) = 1
),
chosen AS (
    SELECT day, signal_id, user_id, method, is_unique, false AS in_common FROM named
    UNION ALL
    SELECT
        common.day,
        common.signal_id,
        common.user_id,
        identity_rules.kind AS method,
        identity_rules.is_unique,
        true AS in_common
    FROM common
    JOIN identity_rules ON identity_rules.priority = common.priority
),
objections AS (
    SELECT DISTINCT chosen.signal_id
    FROM chosen
    JOIN named_users ON named_users.signal_id = chosen.signal_id
    WHERE named_users.is_unique
        AND NOT chosen.is_unique
        AND named_users.user_id <> chosen.user_id
)
SELECT
    chosen.day,
    chosen.signal_id,
    chosen.user_id,
    chosen.method,
    chosen.in_common,
    objections.signal_id IS NOT NULL AS vetoed
FROM chosen
LEFT JOIN objections ON objections.signal_id = chosen.signal_id
