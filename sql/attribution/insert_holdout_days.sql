-- purpose: how often each campaign was shown on one log day, and to how many users, without what bots of
--     that day and flooded clicks did
-- grain: one (day, campaign_id)
-- reads: touchpoints, activity, invalid_touches
-- parameters: $day, $bots, $bot_share
INSERT INTO holdout_days BY NAME
WITH bots AS (
    -- of this log day alone, so that no other day changes it
    SELECT user_id
    FROM activity
    WHERE day = $day AND $bots
    GROUP BY user_id
    HAVING count(*) FILTER (WHERE is_bot OR network_scope = 'data_centre') > $bot_share * count(*)
)
SELECT
    touchpoints.day,
    touchpoints.campaign_id,
    min(touchpoints.advertiser_id) AS advertiser_id,
    count(DISTINCT touchpoints.user_id)
        FILTER (WHERE touchpoints.kind = 'impression' AND touchpoints.arm IS DISTINCT FROM 'control') AS treated_users,
    count(DISTINCT touchpoints.user_id)
        FILTER (WHERE touchpoints.kind = 'impression' AND touchpoints.arm = 'control') AS control_users,
    count(*) FILTER (WHERE touchpoints.kind = 'impression' AND touchpoints.arm IS DISTINCT FROM 'control') AS impressions,
    count(*) FILTER (WHERE touchpoints.kind = 'engaged_view' AND touchpoints.arm IS DISTINCT FROM 'control') AS engaged_views,
    count(*) FILTER (WHERE touchpoints.kind = 'click' AND touchpoints.arm IS DISTINCT FROM 'control') AS clicks
FROM touchpoints
LEFT JOIN bots ON bots.user_id = touchpoints.user_id
LEFT JOIN invalid_touches
    ON invalid_touches.day = touchpoints.day
    AND invalid_touches.touch_id = touchpoints.touch_id
WHERE touchpoints.day = $day AND bots.user_id IS NULL AND invalid_touches.touch_id IS NULL
GROUP BY touchpoints.day, touchpoints.campaign_id
ORDER BY touchpoints.campaign_id
