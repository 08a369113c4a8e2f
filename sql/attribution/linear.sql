-- purpose: the credit of a path to all its touches alike
-- grain: one touch that earns
-- makes: path_weights
-- reads: ranked_touches
-- parameters: none
CREATE OR REPLACE TEMP TABLE path_weights AS
SELECT conversion_id, user_id, touch_id, campaign_id, touch_time, CAST(1 AS BIGINT) AS weight
FROM ranked_touches
