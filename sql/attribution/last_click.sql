-- purpose: all credit of a path to its latest click; a path without one earns nothing
-- grain: one touch that earns
-- makes: path_weights
-- reads: ranked_touches
-- parameters: none
CREATE OR REPLACE TEMP TABLE path_weights AS
WITH clicks AS (
    SELECT
        conversion_id,
        user_id,
        touch_id,
        campaign_id,
        touch_time,
        row_number() OVER (PARTITION BY conversion_id, user_id ORDER BY touch_time DESC, touch_id) AS newness
    FROM ranked_touches
    WHERE kind = 'click'
)
SELECT conversion_id, user_id, touch_id, campaign_id, touch_time, CAST(1 AS BIGINT) AS weight
FROM clicks
WHERE newness = 1
