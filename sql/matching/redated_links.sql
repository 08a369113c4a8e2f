-- purpose: when the links that one log day lost were first seen on a later one
-- grain: one (kind, digest, user_id)
-- makes: redated_links
-- reads: lost_links, activity, touchpoints
-- parameters: $day
CREATE OR REPLACE TEMP TABLE redated_links AS
WITH seen AS (
    SELECT 'email' AS kind, email_digest AS digest, user_id, day FROM activity WHERE day > $day
    UNION ALL
    SELECT 'phone' AS kind, phone_digest AS digest, user_id, day FROM activity WHERE day > $day
    UNION ALL
    SELECT 'device_id' AS kind, device_digest AS digest, user_id, day FROM activity WHERE day > $day
    UNION ALL
    SELECT 'cookie_id' AS kind, cookie_digest AS digest, user_id, day FROM activity WHERE day > $day
    UNION ALL
    SELECT 'click_id' AS kind, click_digest AS digest, user_id, day FROM touchpoints WHERE day > $day
)
SELECT lost_links.kind, lost_links.digest, lost_links.user_id, min(seen.day) AS first_day
FROM lost_links
JOIN seen
    ON seen.kind = lost_links.kind
    AND seen.digest = lost_links.digest
    AND seen.user_id = lost_links.user_id
GROUP BY lost_links.kind, lost_links.digest, lost_links.user_id
