-- purpose: how much was seen of each user in the window
-- grain: one user
-- makes: active_users
-- reads: window_activity
-- parameters: none
CREATE OR REPLACE TEMP TABLE active_users AS
SELECT
    user_id,
    count(*) AS observations,
    count(DISTINCT day) AS days,
    count(DISTINCT address) AS addresses,
    count(DISTINCT device) AS devices,
    max(time_us) AS last_us
FROM window_activity
WHERE signal_id IS NULL
GROUP BY user_id
