-- purpose: users at advertisers; those without touch and conversion there are counted together by quarter
-- grain: one user at one advertiser, or (user_id null) all others of one quarter there
-- makes: histories
-- reads: history_users, history_touches, history_conversions
-- parameters: none
CREATE OR REPLACE TEMP TABLE histories AS
WITH pairs AS (
    SELECT user_id, advertiser_id FROM history_touches
    UNION
    SELECT user_id, advertiser_id FROM history_conversions
),
advertisers AS (
    SELECT DISTINCT advertiser_id FROM pairs
),
crowds AS (
    SELECT quarter, count(*) AS users
    FROM history_users
    GROUP BY quarter
),
met AS (
    SELECT pairs.advertiser_id, history_users.quarter, count(*) AS users
    FROM pairs
    JOIN history_users ON history_users.user_id = pairs.user_id
    GROUP BY pairs.advertiser_id, history_users.quarter
),
members AS (
    -- who has touches but no activity was seen least
    SELECT pairs.user_id, pairs.advertiser_id, coalesce(history_users.quarter, 1) AS quarter, 1 AS users
    FROM pairs
    LEFT JOIN history_users ON history_users.user_id = pairs.user_id
    UNION ALL
    SELECT
        NULL AS user_id, advertisers.advertiser_id, crowds.quarter,
        crowds.users - coalesce(met.users, 0) AS users
    FROM advertisers
    CROSS JOIN crowds
    LEFT JOIN met
        ON met.advertiser_id = advertisers.advertiser_id
        AND met.quarter = crowds.quarter
)
SELECT
    row_number() OVER (ORDER BY user_id NULLS LAST, advertiser_id, quarter) AS history,
    dense_rank() OVER (ORDER BY user_id NULLS LAST) AS user_number,
    user_id,
    advertiser_id,
    quarter,
    CAST(users AS BIGINT) AS users
FROM members
WHERE users > 0
