-- purpose: the installs at work that are none: their user had installed the app before, and used it
-- grain: one (conversion_id, user_id)
-- makes: reinstalls
-- reads: work_conversions, conversion_users, conversions
-- parameters: $install_events, $reattribution_us, $inactivity_us
CREATE OR REPLACE TEMP TABLE reinstalls AS
WITH installs AS (
    SELECT
        work_conversions.conversion_id,
        work_conversions.advertiser_id,
        work_conversions.time_us,
        conversion_users.user_id
    FROM work_conversions
    JOIN conversion_users ON conversion_users.conversion_id = work_conversions.conversion_id
    WHERE list_contains($install_events, work_conversions.event_name)
),
history AS (
    SELECT
        installs.conversion_id,
        installs.user_id,
        max(CASE WHEN list_contains($install_events, conversions.event_name) THEN 1 ELSE 0 END) AS installed,
        max(epoch_us(conversions.event_time)) AS last_us,
        max(installs.time_us) AS time_us
    FROM installs
    JOIN conversion_users ON conversion_users.user_id = installs.user_id AND conversion_users.best
    JOIN conversions
        ON conversions.conversion_id = conversion_users.conversion_id
        AND conversions.advertiser_id = installs.advertiser_id
        AND epoch_us(conversions.event_time) < installs.time_us
        AND epoch_us(conversions.event_time) >= installs.time_us - $reattribution_us
    GROUP BY installs.conversion_id, installs.user_id
)
SELECT conversion_id, user_id
FROM history
-- exactly so long without an event is inactive
WHERE installed = 1 AND last_us > time_us - $inactivity_us
