-- purpose: the accepted models that are kept, and on how many log days each was fitted
-- grain: one model; of those of one day one, the one of these settings before others
-- reads: credit_models
-- parameters: $model, $settings
SELECT DISTINCT ON (last_day)
    model_version,
    first_day,
    last_day,
    last_day - first_day + 1 AS days,
    settings
FROM credit_models
WHERE model = $model AND status = 'accepted' AND body IS NOT NULL
ORDER BY last_day, CASE WHEN settings = $settings THEN 0 ELSE 1 END, model_version
