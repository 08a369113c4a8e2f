-- purpose: store the touches that may earn the conversions at work
-- grain: one touch of one conversion
-- reads: eligible_touches
-- parameters: none
INSERT INTO path_touches BY NAME
SELECT
    conversion_id,
    day,
    touch_id,
    touch_day,
    make_timestamp(time_us) AS touch_time,
    user_id,
    kind,
    campaign_id,
    ad_id,
    surface,
    creator_id
FROM eligible_touches
ORDER BY day, conversion_id, time_us, touch_id
