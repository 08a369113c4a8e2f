-- purpose: the model that serves a log day, of those whose bodies are kept: the newest of its day or before,
--     else the oldest after it
-- grain: one model, or no row
-- reads: credit_models
-- parameters: $model, $day, $settings (those of two of the same day come first)
SELECT model_version, first_day, last_day, settings, body
FROM credit_models
WHERE model = $model AND status = 'accepted' AND body IS NOT NULL
ORDER BY
    CASE WHEN last_day <= $day THEN last_day END DESC NULLS LAST,
    last_day,
    CASE WHEN settings = $settings THEN 0 ELSE 1 END,
    model_version
LIMIT 1
