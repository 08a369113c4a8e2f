-- purpose: store who may have made the conversions at work
-- grain: one (conversion_id, user_id)
-- reads: new_users
-- parameters: none
INSERT INTO conversion_users BY NAME
SELECT conversion_id, day, user_id, signal_id, method, user_micros, best
FROM new_users
ORDER BY day, conversion_id, user_id
