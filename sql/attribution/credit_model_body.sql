-- purpose: the JSON of a model that is kept
-- grain: one row
-- reads: credit_models
-- parameters: $model, $model_version
SELECT any_value(body) AS body
FROM credit_models
WHERE model = $model AND model_version = $model_version AND body IS NOT NULL
