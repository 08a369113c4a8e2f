-- purpose: store the paths found anew
-- grain: one (conversion_id, user_id, touch_id)
-- reads: path_rows
-- parameters: none
INSERT INTO path_touches BY NAME
SELECT
    conversion_id, day, touch_id, touch_day, touch_time, user_id, kind, campaign_id, ad_id, surface,
    creator_id, named, strength, reason
FROM path_rows
