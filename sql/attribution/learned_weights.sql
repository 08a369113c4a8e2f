-- purpose: the credit of a path as a fitted model divides it: to touches, and what is left to organic
-- grain: one touch that earns, or what is left of its path
-- makes: path_weights
-- reads: learned_touches, shares
-- parameters: none
CREATE OR REPLACE TEMP TABLE path_weights AS
SELECT
    learned_touches.conversion_id,
    learned_touches.user_id,
    learned_touches.touch_id,
    learned_touches.campaign_id,
    learned_touches.touch_time,
    shares.weight
FROM shares
JOIN learned_touches ON learned_touches.place = shares.place
WHERE NOT shares.is_organic
UNION ALL
-- what no touch earned stands at the path's first
SELECT
    learned_touches.conversion_id, learned_touches.user_id, NULL AS touch_id, NULL AS campaign_id,
    NULL AS touch_time, shares.weight
FROM shares
JOIN learned_touches ON learned_touches.place = shares.place
WHERE shares.is_organic
