-- purpose: store the credit of the conversions at work
-- grain: one credit row
-- reads: new_credits
-- parameters: none
INSERT INTO credits BY NAME
SELECT
    conversion_id, model, outcome, user_id, touch_id, credit_micros, value_micros, day, campaign_id,
    touch_time
FROM new_credits
ORDER BY day, conversion_id, model, outcome, user_id, touch_id
