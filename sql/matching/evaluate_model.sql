-- purpose: the model in use: that which matched the newest log day, else that trained on the newest
-- grain: one model, or no row
-- reads: pair_models, match_thresholds
-- parameters: none
WITH used AS (
    SELECT model_version, max(day) AS day FROM match_thresholds GROUP BY model_version
)
SELECT
    pair_models.model_version,
    pair_models.first_day,
    pair_models.last_day,
    pair_models.log_loss,
    pair_models.outsiders
FROM pair_models
LEFT JOIN used ON used.model_version = pair_models.model_version
ORDER BY used.day DESC NULLS LAST, pair_models.last_day DESC, pair_models.model_version
LIMIT 1
