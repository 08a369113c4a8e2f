-- purpose: make room for a model that was trained again
-- grain: one model
-- reads: pair_models
-- parameters: $model_version
DELETE FROM pair_models
WHERE model_version = $model_version
