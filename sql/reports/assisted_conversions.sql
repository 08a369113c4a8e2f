-- purpose: in how many conversions each campaign touched the likeliest user and another won, beside those
--     that it won under last_touch
-- grain: one campaign; conversions that last_touch did not credit to a touch of that user do not count
-- reads: best_users, best_path_touches, credits
-- parameters: none
WITH won AS (
    SELECT best_users.conversion_id, credits.campaign_id
    FROM best_users
    JOIN credits
        ON credits.conversion_id = best_users.conversion_id
        AND credits.user_id = best_users.user_id
        AND credits.model = 'last_touch'
        AND credits.outcome = 'touch'
),
present AS (
    SELECT DISTINCT conversion_id, campaign_id FROM best_path_touches
),
roles AS (
    SELECT present.campaign_id, present.campaign_id = won.campaign_id AS is_winner
    FROM present
    JOIN won ON won.conversion_id = present.conversion_id
)
SELECT
    campaign_id,
    count(*) FILTER (WHERE is_winner) AS won,
    count(*) FILTER (WHERE NOT is_winner) AS assisted,
    round(count(*) FILTER (WHERE NOT is_winner) / nullif(count(*) FILTER (WHERE is_winner), 0), 4)
        AS assisted_for_one_won
FROM roles
GROUP BY campaign_id
ORDER BY campaign_id
