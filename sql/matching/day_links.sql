-- purpose: the identifiers that were seen with a user on one log day
-- grain: one (kind, digest, user_id)
-- makes: day_links
-- reads: activity, touchpoints
-- parameters: $day
CREATE OR REPLACE TEMP TABLE day_links AS
WITH seen AS (
    SELECT 'email' AS kind, email_digest AS digest, user_id FROM activity WHERE day = $day
    UNION ALL
    SELECT 'phone' AS kind, phone_digest AS digest, user_id FROM activity WHERE day = $day
    UNION ALL
    SELECT 'device_id' AS kind, device_digest AS digest, user_id FROM activity WHERE day = $day
    UNION ALL
    SELECT 'cookie_id' AS kind, cookie_digest AS digest, user_id FROM activity WHERE day = $day
    UNION ALL
    SELECT 'click_id' AS kind, click_digest AS digest, user_id FROM touchpoints WHERE day = $day
)
SELECT DISTINCT kind, digest, user_id
FROM seen
WHERE digest IS NOT NULL
