-- purpose: network addresses that several users showed up to a log day on which a signal shows them
-- grain: one (day, address_digest)
-- makes: shared_addresses
-- reads: signals, activity
-- parameters: $lookback_days
CREATE OR REPLACE TEMP TABLE shared_addresses AS
WITH sought AS (
    SELECT DISTINCT day, address_digest FROM signals WHERE address_digest IS NOT NULL
),
shown AS (
    SELECT DISTINCT day, address_digest, user_id FROM activity WHERE address_digest IS NOT NULL
)
SELECT sought.day, sought.address_digest
FROM sought
JOIN shown
    ON shown.address_digest = sought.address_digest
    AND shown.day <= sought.day
    AND shown.day + CAST($lookback_days AS INTEGER) > sought.day
GROUP BY sought.day, sought.address_digest
HAVING count(DISTINCT shown.user_id) > 1
