-- purpose: the touches that may earn the conversions at work, numbered by path and time
-- grain: one (conversion_id, user_id, touch_id)
-- makes: learned_touches
-- reads: ranked_touches, work_conversions
-- parameters: none
CREATE OR REPLACE TEMP TABLE learned_touches AS
SELECT
    row_number() OVER (
        ORDER BY
            ranked_touches.conversion_id,
            ranked_touches.user_id,
            ranked_touches.touch_time,
            ranked_touches.campaign_id,
            ranked_touches.kind,
            ranked_touches.touch_id
    ) AS place,
    dense_rank() OVER (ORDER BY ranked_touches.conversion_id, ranked_touches.user_id) AS path,
    ranked_touches.conversion_id,
    ranked_touches.user_id,
    ranked_touches.touch_id,
    ranked_touches.campaign_id,
    ranked_touches.touch_time,
    ranked_touches.kind,
    work_conversions.advertiser_id,
    work_conversions.time_us AS end_us,
    work_conversions.time_us - ranked_touches.lag_us AS time_us
FROM ranked_touches
JOIN work_conversions ON work_conversions.conversion_id = ranked_touches.conversion_id
