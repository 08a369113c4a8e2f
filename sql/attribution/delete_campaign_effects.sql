-- purpose: make room for what a version found out of each campaign: equal models have equal versions
-- grain: one campaign
-- reads: campaign_effects
-- parameters: $model, $model_version
DELETE FROM campaign_effects
WHERE model = $model AND model_version = $model_version
