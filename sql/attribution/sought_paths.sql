-- purpose: the paths to be found anew, each with the windows that hold for it
-- grain: one (conversion_id, user_id)
-- makes: sought_paths
-- reads: work_conversions, new_users, kept_paths, path_rules
-- parameters: none
CREATE OR REPLACE TEMP TABLE sought_paths AS
SELECT
    work_conversions.conversion_id,
    work_conversions.day,
    work_conversions.advertiser_id,
    work_conversions.event_name,
    work_conversions.time_us,
    new_users.user_id,
    path_rules.click_window_us,
    path_rules.engaged_view_window_us,
    path_rules.view_window_us,
    path_rules.least_click_us,
    path_rules.least_view_us,
    path_rules.longest_window_us
FROM work_conversions
JOIN new_users ON new_users.conversion_id = work_conversions.conversion_id
JOIN path_rules
    ON path_rules.advertiser_id = work_conversions.advertiser_id
    AND path_rules.event_name = work_conversions.event_name
    AND path_rules.method = new_users.method
LEFT JOIN kept_paths ON kept_paths.conversion_id = work_conversions.conversion_id
WHERE kept_paths.conversion_id IS NULL
