-- purpose: how a model did on signals of persons that were held out
-- grain: one signal
-- reads: held_out_signals
-- parameters: $model_version
SELECT day, advertiser_id, match_probability, expected, same, known
FROM held_out_signals
WHERE model_version = $model_version
ORDER BY day, advertiser_id, match_probability, expected, same, known
