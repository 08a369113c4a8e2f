-- purpose: what the signals at work teach: their cookies, devices and customer ids belong to the one
--     user whom their other identifiers name, where none of these is known for other users only
-- grain: one (signal_id, kind, digest)
-- makes: new_evidence
-- reads: named_users, carried_values, spoken_values, signal_identifiers, signals
-- parameters: none
CREATE OR REPLACE TEMP TABLE new_evidence AS
WITH others AS (
    SELECT
        signal_identifiers.day,
        signal_identifiers.signal_id,
        signal_identifiers.kind,
        signal_identifiers.digest,
        named_users.method,
        named_users.user_id
    FROM signal_identifiers
    JOIN named_users
        ON named_users.signal_id = signal_identifiers.signal_id
        AND named_users.method <> signal_identifiers.kind
    WHERE signal_identifiers.kind IN ('cookie_id', 'device_id', 'external_id')
        AND signal_identifiers.digest IS NOT NULL
),
lessons AS (
    SELECT day, signal_id, kind, digest, min(user_id) AS user_id
    FROM others
    GROUP BY day, signal_id, kind, digest
    HAVING count(DISTINCT user_id) = 1
),
objecting AS (
    SELECT DISTINCT lessons.signal_id, lessons.kind
    FROM lessons
    JOIN others ON others.signal_id = lessons.signal_id AND others.kind = lessons.kind
    JOIN carried_values
        ON carried_values.signal_id = others.signal_id AND carried_values.method = others.method
    LEFT JOIN spoken_values
        ON spoken_values.day = carried_values.day
        AND spoken_values.method = carried_values.method
        AND spoken_values.digests = carried_values.digests
        AND spoken_values.user_id = lessons.user_id
    WHERE spoken_values.user_id IS NULL
)
SELECT
    lessons.day,
    lessons.signal_id,
    lessons.kind,
    lessons.digest,
    CASE WHEN lessons.kind = 'external_id' THEN signals.advertiser_id ELSE '' END AS scope,
    lessons.user_id,
    signals.event_time
FROM lessons
JOIN signals ON signals.signal_id = lessons.signal_id
LEFT JOIN objecting
    ON objecting.signal_id = lessons.signal_id AND objecting.kind = lessons.kind
WHERE objecting.signal_id IS NULL
