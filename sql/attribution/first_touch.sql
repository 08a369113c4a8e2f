-- purpose: all credit of a path to its earliest touch, of whatever kind
-- grain: one touch that earns
-- makes: path_weights
-- reads: placed_touches
-- parameters: none
CREATE OR REPLACE TEMP TABLE path_weights AS
SELECT conversion_id, user_id, touch_id, campaign_id, touch_time, CAST(1 AS BIGINT) AS weight
FROM placed_touches
WHERE place = 1
