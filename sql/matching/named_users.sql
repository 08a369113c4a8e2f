-- purpose: whom each identifier of the signals at work names, by what was known at the end of its day
-- grain: one (signal_id, method); user_id is null where the identifier names several users
-- makes: named_users
-- reads: work_signals, signals, identity_links
-- parameters: $methods (in the order of trust)
CREATE OR REPLACE TEMP TABLE named_users AS
WITH at_work AS (
    SELECT signals.*
    FROM signals
    JOIN work_signals ON work_signals.signal_id = signals.signal_id
),
identifiers AS (
    SELECT day, signal_id, 'click_id' AS method, click_digest AS digest FROM at_work
    UNION ALL
    SELECT day, signal_id, 'email' AS method, email_digest AS digest FROM at_work
    UNION ALL
    SELECT day, signal_id, 'phone' AS method, phone_digest AS digest FROM at_work
    UNION ALL
    SELECT day, signal_id, 'device_id' AS method, device_digest AS digest FROM at_work
    UNION ALL
    SELECT day, signal_id, 'cookie_id' AS method, cookie_digest AS digest FROM at_work
    UNION ALL
    SELECT day, signal_id, 'external_id' AS method, external_digest AS digest FROM at_work
),
named AS (
    SELECT
        identifiers.day,
        identifiers.signal_id,
        identifiers.method,
        count(DISTINCT identity_links.user_id) AS users,
        min(identity_links.user_id) AS user_id
    FROM identifiers
    JOIN identity_links
        ON identity_links.kind = identifiers.method
        AND identity_links.digest = identifiers.digest
        AND identity_links.first_day <= identifiers.day
    GROUP BY identifiers.day, identifiers.signal_id, identifiers.method
)
SELECT
    day,
    signal_id,
    method,
    array_position($methods, method) AS priority,
    users,
    CASE WHEN users = 1 THEN user_id END AS user_id
FROM named
WHERE array_contains($methods, method)
