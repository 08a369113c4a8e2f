-- purpose: the latest opportunity of each campaign before the conversions of known users: an
--     impression, or the ad that a holdout withheld in its place
-- grain: one (conversion_id, campaign_id, arm)
-- makes: opportunities
-- reads: known_users, sought_paths, touchpoints
-- parameters: $first_time, $last_time
CREATE OR REPLACE TEMP TABLE opportunities AS
WITH paths AS (
    SELECT sought_paths.*
    FROM sought_paths
    JOIN known_users
        ON known_users.conversion_id = sought_paths.conversion_id
        AND known_users.user_id = sought_paths.user_id
),
shown AS (
    SELECT
        day AS touch_day,
        user_id,
        advertiser_id,
        campaign_id,
        epoch_us(event_time) AS time_us,
        CASE WHEN arm = 'control' THEN 'control' ELSE 'treatment' END AS arm
    FROM touchpoints
    WHERE event_time BETWEEN $first_time AND $last_time AND kind = 'impression'
),
of_days AS (
    SELECT
        paths.conversion_id,
        paths.day,
        paths.user_id,
        shown.campaign_id,
        shown.arm,
        shown.touch_day,
        min(paths.time_us - shown.time_us) AS lag_us
    FROM paths
    JOIN shown
        ON shown.user_id = paths.user_id
        AND shown.advertiser_id = paths.advertiser_id
        AND shown.time_us <= paths.time_us
        AND shown.time_us + paths.longest_window_us >= paths.time_us
    GROUP BY
        paths.conversion_id, paths.day, paths.user_id, shown.campaign_id, shown.arm, shown.touch_day
),
placed AS (
    SELECT
        *,
        row_number() OVER (
            PARTITION BY conversion_id, campaign_id, arm
            ORDER BY lag_us, touch_day
        ) AS place
    FROM of_days
)
SELECT conversion_id, day, user_id, campaign_id, arm, lag_us, touch_day
FROM placed
WHERE place = 1
