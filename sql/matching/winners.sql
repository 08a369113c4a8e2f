-- purpose: the user of each signal at work: named by its most trusted identifier that names one user
-- grain: one matched signal
-- makes: winners
-- reads: named_users
-- parameters: none
CREATE OR REPLACE TEMP TABLE winners AS
WITH ranked AS (
    SELECT
        day,
        signal_id,
        user_id,
        method,
        row_number() OVER (PARTITION BY signal_id ORDER BY priority) AS place
    FROM named_users
    WHERE user_id IS NOT NULL
)
SELECT day, signal_id, user_id, method
FROM ranked
WHERE place = 1
