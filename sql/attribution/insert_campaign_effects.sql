-- purpose: keep what a fitted model found out of each campaign
-- grain: one campaign; null: all together
-- reads: effects
-- parameters: $model, $model_version
INSERT INTO campaign_effects BY NAME
SELECT
    $model AS model,
    $model_version AS model_version,
    campaign_id,
    basis,
    correction,
    incremental,
    standard_error,
    credited
FROM effects
