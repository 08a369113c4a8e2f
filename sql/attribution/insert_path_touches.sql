-- purpose: store the touches within the windows of the paths sought, and which of them may not earn
-- grain: one (conversion_id, user_id, touch_id)
-- reads: sought_paths, touchpoints, kind_strengths, limited_advertisers, listed_values,
--     invalid_touches, invalid_users, named_clicks
-- parameters: $first_time, $last_time
INSERT INTO path_touches BY NAME
WITH touches AS (
    SELECT
        touch_id, day, event_time, epoch_us(event_time) AS time_us, user_id, kind, advertiser_id,
        campaign_id, ad_id, surface, creator_id, click_digest
    FROM touchpoints
    -- bounds known before the statement runs let the days outside them be skipped unread
    WHERE event_time BETWEEN $first_time AND $last_time
        AND (arm IS NULL OR arm <> 'control')
),
within AS (
    SELECT
        sought_paths.conversion_id,
        sought_paths.day,
        sought_paths.event_name,
        sought_paths.user_id,
        sought_paths.advertiser_id,
        sought_paths.time_us - touches.time_us AS lag_us,
        CASE WHEN touches.kind = 'click' THEN sought_paths.least_click_us ELSE sought_paths.least_view_us END AS least_us,
        touches.touch_id,
        touches.day AS touch_day,
        touches.event_time AS touch_time,
        touches.time_us,
        touches.kind,
        touches.campaign_id,
        touches.ad_id,
        touches.surface,
        touches.creator_id,
        touches.click_digest
    FROM sought_paths
    JOIN touches
        ON touches.user_id = sought_paths.user_id
        AND touches.advertiser_id = sought_paths.advertiser_id
        AND touches.time_us <= sought_paths.time_us
        AND touches.time_us + CASE touches.kind
            WHEN 'click' THEN sought_paths.click_window_us
            WHEN 'engaged_view' THEN sought_paths.engaged_view_window_us
            ELSE sought_paths.view_window_us
        END >= sought_paths.time_us
),
flooded AS (
    SELECT DISTINCT touch_id, day, reason FROM invalid_touches
),
judged AS (
    SELECT
        within.*,
        kind_strengths.strength,
        named_clicks.click_digest IS NOT NULL AS named,
        CASE
            WHEN invalid_users.user_id IS NOT NULL THEN invalid_users.reason
            WHEN flooded.touch_id IS NOT NULL THEN flooded.reason
            WHEN within.lag_us < within.least_us THEN 'click_injection'
        END AS reason
    FROM within
    JOIN kind_strengths ON kind_strengths.kind = within.kind
    LEFT JOIN flooded ON flooded.touch_id = within.touch_id AND flooded.day = within.touch_day
    LEFT JOIN invalid_users ON invalid_users.user_id = within.user_id
    LEFT JOIN named_clicks
        ON named_clicks.conversion_id = within.conversion_id
        AND named_clicks.click_digest = within.click_digest
    LEFT JOIN limited_advertisers ON limited_advertisers.advertiser_id = within.advertiser_id
    LEFT JOIN listed_values AS surfaces
        ON surfaces.advertiser_id = within.advertiser_id
        AND surfaces.part = 'surface'
        AND surfaces.value = within.surface
    LEFT JOIN listed_values AS campaigns
        ON campaigns.advertiser_id = within.advertiser_id
        AND campaigns.part = 'campaign'
        AND campaigns.value = within.campaign_id
    -- what is listed as out may not earn; where some are listed as in, nothing else may
    WHERE coalesce(surfaces.earns, NOT coalesce(limited_advertisers.surfaces_listed, false))
        AND coalesce(campaigns.earns, NOT coalesce(limited_advertisers.campaigns_listed, false))
),
repeated AS (
    -- a touch sent again on a later log day is still one touch; few are
    SELECT conversion_id, user_id, touch_id
    FROM judged
    GROUP BY conversion_id, user_id, touch_id
    HAVING count(*) > 1
),
copies AS (
    SELECT
        judged.*,
        row_number() OVER (
            PARTITION BY judged.conversion_id, judged.user_id, judged.touch_id
            ORDER BY
                CASE WHEN judged.reason IS NULL THEN 0 ELSE 1 END,
                judged.time_us,
                judged.strength,
                judged.touch_day
        ) AS copy
    FROM judged
    JOIN repeated
        ON repeated.conversion_id = judged.conversion_id
        AND repeated.user_id = judged.user_id
        AND repeated.touch_id = judged.touch_id
)
SELECT
    judged.conversion_id, judged.day, judged.user_id, judged.touch_id, judged.touch_day,
    judged.touch_time, judged.kind, judged.strength, judged.named, judged.reason, judged.campaign_id,
    judged.ad_id, judged.surface, judged.creator_id
FROM judged
LEFT JOIN repeated
    ON repeated.conversion_id = judged.conversion_id
    AND repeated.user_id = judged.user_id
    AND repeated.touch_id = judged.touch_id
WHERE repeated.touch_id IS NULL
UNION ALL
SELECT
    conversion_id, day, user_id, touch_id, touch_day, touch_time, kind, strength, named, reason,
    campaign_id, ad_id, surface, creator_id
FROM copies
WHERE copy = 1
