-- purpose: the touches that may earn the conversions at work
-- grain: one (conversion_id, touch_id)
-- makes: eligible_touches
-- reads: work_conversions, touchpoints
-- parameters: $click_window_us, $engaged_view_window_us, $view_window_us, $longest_window_us
CREATE OR REPLACE TEMP TABLE eligible_touches AS
WITH span AS (
    SELECT
        make_timestamp(min(time_us) - $longest_window_us) AS first_time,
        make_timestamp(max(time_us)) AS last_time
    FROM work_conversions
),
touches AS (
    SELECT
        touch_id,
        user_id,
        advertiser_id,
        campaign_id,
        kind,
        epoch_us(event_time) AS time_us,
        CASE kind WHEN 'click' THEN 1 WHEN 'engaged_view' THEN 2 ELSE 3 END AS kind_order,
        CASE kind
            WHEN 'click' THEN $click_window_us
            WHEN 'engaged_view' THEN $engaged_view_window_us
            ELSE $view_window_us
        END AS window_us
    FROM touchpoints
    WHERE event_time >= (SELECT first_time FROM span)
        AND event_time <= (SELECT last_time FROM span)
        AND (arm IS NULL OR arm <> 'control')
),
joined AS (
    SELECT
        work_conversions.conversion_id,
        touches.touch_id,
        touches.user_id,
        touches.campaign_id,
        touches.kind_order,
        touches.time_us,
        -- a touch sent again on a later log day is still one touch
        row_number() OVER (
            PARTITION BY work_conversions.conversion_id, touches.touch_id
            ORDER BY touches.time_us, touches.kind_order, touches.campaign_id
        ) AS copy
    FROM work_conversions
    JOIN touches
        ON touches.user_id = work_conversions.user_id
        AND touches.advertiser_id = work_conversions.advertiser_id
        AND touches.time_us <= work_conversions.time_us
        AND touches.time_us + touches.window_us >= work_conversions.time_us
)
SELECT conversion_id, touch_id, user_id, campaign_id, kind_order, time_us
FROM joined
WHERE copy = 1
