-- purpose: the histories as models read them; each crowd counts as a user of its own
-- grain: one history
-- reads: histories
-- parameters: none
SELECT
    history,
    CASE WHEN user_id IS NULL THEN -history ELSE user_number END AS "user",
    advertiser_id,
    'quarter ' || CAST(quarter AS VARCHAR) AS segment,
    CAST(users AS DOUBLE) AS weight
FROM histories
ORDER BY history
