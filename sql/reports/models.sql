-- purpose: which models were trained, on what, how they did on persons held out, and which one is in use;
--     no row where none was: every match is by an identifier then
-- grain: one model, the newest last
-- reads: pair_models, match_thresholds, warehouse_settings
-- parameters: none
WITH served AS (
    SELECT model_version, count(DISTINCT day) AS days, min(day) AS first_day, max(day) AS last_day
    FROM match_thresholds
    GROUP BY model_version
),
active AS (
    SELECT value AS model_version FROM warehouse_settings WHERE name = 'active_model'
)
SELECT
    pair_models.model_version,
    pair_models.trained_by,
    pair_models.first_day,
    pair_models.last_day,
    pair_models.signals,
    pair_models.named,
    round(pair_models.average_precision, 4) AS average_precision,
    round(pair_models.calibration_ratio, 4) AS calibration_ratio,
    round(pair_models.outsiders, 4) AS outsiders,
    active.model_version IS NOT NULL AS active,
    coalesce(served.days, 0) AS days_served,
    served.first_day AS first_day_served,
    served.last_day AS last_day_served
FROM pair_models
LEFT JOIN served ON served.model_version = pair_models.model_version
LEFT JOIN active ON active.model_version = pair_models.model_version
ORDER BY pair_models.last_day, pair_models.model_version
