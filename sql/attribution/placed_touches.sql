-- purpose: the touches that may earn the conversions at work, in the order of time
-- grain: one (conversion_id, user_id, touch_id)
-- makes: placed_touches
-- reads: ranked_touches
-- parameters: none
CREATE OR REPLACE TEMP TABLE placed_touches AS
SELECT
    conversion_id,
    user_id,
    touch_id,
    campaign_id,
    touch_time,
    count(*) OVER (PARTITION BY conversion_id, user_id) AS touches,
    row_number() OVER (PARTITION BY conversion_id, user_id ORDER BY touch_time, touch_id) AS place
FROM ranked_touches
