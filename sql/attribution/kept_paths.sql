-- purpose: the conversions at work whose paths stay as they were stored: nothing that decides them
--     has changed, only their value or what their credit hangs on otherwise
-- grain: one conversion
-- makes: kept_paths
-- reads: work_conversions, stale_users, new_users, touched_signals, conversion_signals,
--     reached_conversions, changed_invalid_users
-- parameters: $rules_version, $install_events
CREATE OR REPLACE TEMP TABLE kept_paths AS
WITH former AS (
    SELECT conversion_id, advertiser_id, event_name, time_us, count(*) AS users
    FROM stale_users
    WHERE rules_version = $rules_version
    GROUP BY conversion_id, advertiser_id, event_name, time_us
),
present AS (
    SELECT
        new_users.conversion_id,
        count(*) AS users,
        count(stale_users.user_id) AS users_before
    FROM new_users
    LEFT JOIN stale_users
        ON stale_users.conversion_id = new_users.conversion_id
        AND stale_users.user_id = new_users.user_id
        AND stale_users.method = new_users.method
    GROUP BY new_users.conversion_id
),
moved AS (
    SELECT conversion_signals.conversion_id
    FROM conversion_signals
    JOIN touched_signals ON touched_signals.signal_id = conversion_signals.signal_id
    WHERE conversion_signals.role IN ('first', 'repeat')
    UNION
    SELECT conversion_id FROM reached_conversions
    UNION
    -- whatever else made this run look at it, as an adjustment of the same day
    SELECT new_users.conversion_id
    FROM new_users
    JOIN changed_invalid_users ON changed_invalid_users.user_id = new_users.user_id
)
SELECT work_conversions.conversion_id
FROM work_conversions
JOIN former
    ON former.conversion_id = work_conversions.conversion_id
    AND former.advertiser_id = work_conversions.advertiser_id
    AND former.event_name = work_conversions.event_name
    AND former.time_us = work_conversions.time_us
JOIN present
    ON present.conversion_id = work_conversions.conversion_id
    AND present.users = former.users
    AND present.users_before = former.users
LEFT JOIN moved ON moved.conversion_id = work_conversions.conversion_id
WHERE moved.conversion_id IS NULL
    -- another install may have made it a reinstall, which tells nothing of causes
    AND NOT list_contains($install_events, work_conversions.event_name)
