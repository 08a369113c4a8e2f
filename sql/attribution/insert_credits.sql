-- purpose: store the credit of the conversions at work
-- grain: one credit row
-- reads: new_credits
-- parameters: $rules_version
INSERT INTO credits BY NAME
SELECT
    conversion_id, model, outcome, user_id, touch_id, credit_micros, value_micros, day, campaign_id,
    touch_time, reason, $rules_version AS rules_version
FROM new_credits
