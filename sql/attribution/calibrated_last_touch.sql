-- purpose: of each path the touch that comes first in precedence earns the probability that it caused the
--     conversion; the rest is organic
-- grain: one touch that earns, or what is left of its path
-- makes: path_weights
-- reads: ranked_touches, recency_bins, touch_rates
-- parameters: none
CREATE OR REPLACE TEMP TABLE path_weights AS
WITH crowds AS (
    SELECT
        conversion_id,
        user_id,
        CASE WHEN min(campaign_id) = max(campaign_id) THEN 'alone' ELSE 'shared' END AS path
    FROM ranked_touches
    GROUP BY conversion_id, user_id
),
winners AS (
    SELECT
        ranked_touches.conversion_id,
        ranked_touches.user_id,
        ranked_touches.touch_id,
        ranked_touches.campaign_id,
        ranked_touches.touch_time,
        ranked_touches.kind,
        CAST(date_trunc('week', ranked_touches.day) AS DATE) AS week,
        recency_bins.recency,
        crowds.path
    FROM ranked_touches
    JOIN crowds
        ON crowds.conversion_id = ranked_touches.conversion_id
        AND crowds.user_id = ranked_touches.user_id
    JOIN recency_bins
        ON ranked_touches.lag_us > recency_bins.above_us
        AND ranked_touches.lag_us <= recency_bins.most_us
    WHERE ranked_touches.precedence = 1
),
rated AS (
    SELECT winners.*, coalesce(own.permille, others.permille) AS permille
    FROM winners
    LEFT JOIN touch_rates AS own
        ON own.week = winners.week
        AND own.campaign_id = winners.campaign_id
        AND own.kind = winners.kind
        AND own.recency = winners.recency
        AND own.path = winners.path
    LEFT JOIN touch_rates AS others
        ON others.week = winners.week
        AND others.campaign_id = ''
        AND others.kind = winners.kind
        AND others.recency = winners.recency
        AND others.path = winners.path
)
SELECT conversion_id, user_id, touch_id, campaign_id, touch_time, CAST(permille AS BIGINT) AS weight
FROM rated
WHERE permille > 0
UNION ALL
SELECT
    conversion_id, user_id, NULL AS touch_id, NULL AS campaign_id, NULL AS touch_time,
    CAST(1000 - permille AS BIGINT) AS weight
FROM rated
WHERE permille < 1000
