-- purpose: the users who are no persons: more than a share of all that is stored of them was done by
--     bots (reason bot), or by bots and from data centres together (reason data_centre)
-- grain: one user
-- makes: invalid_observers
-- reads: activity
-- parameters: $bots (false: there are none), $bot_share
CREATE OR REPLACE TEMP TABLE invalid_observers AS
WITH suspects AS (
    -- an observation that is both counts once
    SELECT user_id, count(*) FILTER (WHERE is_bot) AS of_bots, count(*) AS of_machines
    FROM activity
    WHERE $bots AND (is_bot OR network_scope = 'data_centre')
    GROUP BY user_id
),
-- of most users nothing is suspect: these are never counted
observed AS (
    SELECT activity.user_id, count(*) AS observations
    FROM activity
    JOIN suspects ON suspects.user_id = activity.user_id
    GROUP BY activity.user_id
)
SELECT
    suspects.user_id,
    CASE WHEN suspects.of_bots / observed.observations > $bot_share THEN 'bot' ELSE 'data_centre' END AS reason
FROM suspects
JOIN observed ON observed.user_id = suspects.user_id
WHERE suspects.of_machines / observed.observations > $bot_share
