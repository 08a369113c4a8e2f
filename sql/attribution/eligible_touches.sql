-- purpose: the touches that may earn the conversions whose path is found anew
-- grain: one (conversion_id, touch_id)
-- makes: eligible_touches
-- reads: sought_paths, touchpoints
-- parameters: $click_window_us, $engaged_view_window_us, $view_window_us, $first_time, $last_time
CREATE OR REPLACE TEMP TABLE eligible_touches AS
WITH touches AS (
    SELECT
        touchpoints.*,
        epoch_us(event_time) AS time_us,
        CASE kind WHEN 'click' THEN 1 WHEN 'engaged_view' THEN 2 ELSE 3 END AS kind_order,
        CASE kind
            WHEN 'click' THEN $click_window_us
            WHEN 'engaged_view' THEN $engaged_view_window_us
            ELSE $view_window_us
        END AS window_us
    FROM touchpoints
    -- bounds known before the statement runs let the days outside them be skipped unread
    WHERE event_time BETWEEN $first_time AND $last_time
        AND (arm IS NULL OR arm <> 'control')
),
joined AS (
    SELECT
        sought_paths.conversion_id,
        sought_paths.day,
        touches.touch_id,
        touches.day AS touch_day,
        touches.time_us,
        touches.user_id,
        touches.kind,
        touches.campaign_id,
        touches.ad_id,
        touches.surface,
        touches.creator_id,
        -- a touch sent again on a later log day is still one touch
        row_number() OVER (
            PARTITION BY sought_paths.conversion_id, touches.touch_id
            ORDER BY touches.time_us, touches.kind_order, touches.day
        ) AS copy
    FROM sought_paths
    JOIN touches
        ON touches.user_id = sought_paths.user_id
        AND touches.advertiser_id = sought_paths.advertiser_id
        AND touches.time_us <= sought_paths.time_us
        AND touches.time_us + touches.window_us >= sought_paths.time_us
)
SELECT
    conversion_id, day, touch_id, touch_day, time_us, user_id, kind, campaign_id, ad_id, surface,
    creator_id
FROM joined
WHERE copy = 1
