-- purpose: the last training day of the newest model of the schedule that may serve a log day
-- grain: one row; null where there is none
-- reads: pair_models
-- parameters: $day, $settings
SELECT max(last_day) AS last_day
FROM pair_models
WHERE last_day <= $day AND settings = $settings AND trained_by <> 'train'
