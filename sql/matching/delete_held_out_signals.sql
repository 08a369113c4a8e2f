-- purpose: make room for the held-out signals of a model that was trained again, and of none that is listed
-- grain: one signal
-- reads: held_out_signals, pair_models
-- parameters: none
DELETE FROM held_out_signals
WHERE model_version NOT IN (SELECT model_version FROM pair_models)
