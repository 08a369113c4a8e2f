-- purpose: the credit of a path to all its touches, half as much for each half-life before it
-- grain: one touch that earns; weights in billionths, at least one, so that their sum is exact
-- makes: path_weights
-- reads: ranked_touches
-- parameters: $half_life_us
CREATE OR REPLACE TEMP TABLE path_weights AS
SELECT
    conversion_id,
    user_id,
    touch_id,
    campaign_id,
    touch_time,
    greatest(CAST(round(1000000000 * pow(2.0, -lag_us / CAST($half_life_us AS DOUBLE))) AS BIGINT), 1) AS weight
FROM ranked_touches
