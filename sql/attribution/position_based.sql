-- purpose: fixed shares of a path to its first and last touch, the rest to those between alike
-- grain: one touch that earns; of two touches the first and last divide all
-- makes: path_weights
-- reads: placed_touches
-- parameters: $first_micros, $last_micros
CREATE OR REPLACE TEMP TABLE path_weights AS
WITH weighed AS (
    SELECT
        conversion_id,
        user_id,
        touch_id,
        campaign_id,
        touch_time,
        CASE
            WHEN touches = 1 THEN 1
            WHEN place = 1 THEN $first_micros * greatest(touches - 2, 1)
            WHEN place = touches THEN $last_micros * greatest(touches - 2, 1)
            ELSE 1000000 - $first_micros - $last_micros
        END AS weight
    FROM placed_touches
)
SELECT conversion_id, user_id, touch_id, campaign_id, touch_time, CAST(weight AS BIGINT) AS weight
FROM weighed
WHERE weight > 0
