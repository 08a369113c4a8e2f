-- purpose: make room for the held-out signals of a model that was trained again
-- grain: one signal
-- reads: held_out_signals
-- parameters: $model_version
DELETE FROM held_out_signals
WHERE model_version = $model_version
