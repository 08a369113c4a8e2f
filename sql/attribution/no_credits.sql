-- purpose: the table that each model adds its credit to, still empty
-- grain: one credit row
-- makes: new_credits
-- reads: credits
-- parameters: none
CREATE OR REPLACE TEMP TABLE new_credits AS
SELECT
    conversion_id, model, outcome, user_id, touch_id, credit_micros, value_micros, day, campaign_id,
    touch_time, reason
FROM credits
WHERE false
