-- purpose: the model of the schedule that was trained on the log days up to one of them
-- grain: one model, or no row
-- reads: pair_models
-- parameters: $last_day, $settings
SELECT model_version
FROM pair_models
WHERE last_day = $last_day AND settings = $settings AND trained_by <> 'train'
ORDER BY model_version
LIMIT 1
