-- purpose: the users of the conversions at work, as they are stored
-- grain: one (conversion_id, user_id)
-- makes: new_users
-- reads: work_conversions, conversion_users
-- parameters: none
CREATE OR REPLACE TEMP TABLE new_users AS
SELECT
    conversion_users.conversion_id, conversion_users.day, conversion_users.user_id,
    conversion_users.signal_id, conversion_users.method, conversion_users.user_micros,
    conversion_users.best
FROM conversion_users
JOIN work_conversions ON work_conversions.conversion_id = conversion_users.conversion_id
