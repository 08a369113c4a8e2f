-- purpose: the times between which the touches of the paths sought must lie
-- grain: one row; null where no path is sought
-- reads: sought_paths
-- parameters: none
SELECT
    make_timestamp(min(time_us - longest_window_us)) AS first_time,
    make_timestamp(max(time_us)) AS last_time
FROM sought_paths
