-- purpose: make room for a model that was trained again: the same, or that of the schedule in its place
-- grain: one model
-- reads: pair_models
-- parameters: $model_version, $trained_by, $last_day, $settings
DELETE FROM pair_models
WHERE model_version = $model_version
    OR (
        $trained_by <> 'train'
        AND trained_by <> 'train'
        AND last_day = $last_day
        AND settings = $settings
    )
