-- purpose: make room for another attempt to fit a model on the same days
-- grain: one attempt
-- reads: credit_models
-- parameters: $model, $last_day, $settings
DELETE FROM credit_models
WHERE model = $model AND last_day = $last_day AND settings = $settings
