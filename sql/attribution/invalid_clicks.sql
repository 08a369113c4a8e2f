-- purpose: the clicks of one log day that come faster than people click: of one user on one campaign in
--     one hour of UTC, or of one creator beside his impressions; what is flooded is flooded whole. Only
--     touches of the same log day are counted, so that no other day changes it
-- grain: one touch_id of the log day
-- makes: invalid_clicks
-- reads: touchpoints
-- parameters: $day, $clicks_per_hour (null: any number), $creator_clicks, $creator_click_rate (null: any)
CREATE OR REPLACE TEMP TABLE invalid_clicks AS
WITH clicks AS (
    SELECT
        touch_id,
        user_id,
        campaign_id,
        creator_id,
        date_trunc('hour', event_time) AS click_hour
    FROM touchpoints
    WHERE day = $day AND kind = 'click' AND (arm IS NULL OR arm <> 'control')
),
flooded_hours AS (
    SELECT user_id, campaign_id, click_hour
    FROM clicks
    GROUP BY user_id, campaign_id, click_hour
    HAVING count(*) > $clicks_per_hour
),
busy_creators AS (
    SELECT creator_id, count(*) AS clicks
    FROM clicks
    WHERE creator_id IS NOT NULL
    GROUP BY creator_id
    HAVING count(*) >= $creator_clicks
),
shown AS (
    SELECT touchpoints.creator_id, count(*) AS impressions
    FROM touchpoints
    JOIN busy_creators ON busy_creators.creator_id = touchpoints.creator_id
    WHERE touchpoints.day = $day
        AND touchpoints.kind = 'impression'
        AND (touchpoints.arm IS NULL OR touchpoints.arm <> 'control')
    GROUP BY touchpoints.creator_id
),
flooding_creators AS (
    SELECT busy_creators.creator_id
    FROM busy_creators
    LEFT JOIN shown ON shown.creator_id = busy_creators.creator_id
    WHERE busy_creators.clicks / coalesce(shown.impressions, 1) > $creator_click_rate
)
SELECT clicks.touch_id, 'click_flooding' AS reason
FROM clicks
JOIN flooded_hours
    ON flooded_hours.user_id = clicks.user_id
    AND flooded_hours.campaign_id = clicks.campaign_id
    AND flooded_hours.click_hour = clicks.click_hour
UNION
SELECT clicks.touch_id, 'click_flooding' AS reason
FROM clicks
JOIN flooding_creators ON flooding_creators.creator_id = clicks.creator_id
