-- purpose: the conversions first told on the log days of a new model that it is to credit besides those at work:
--     those without credit under the model, and those credited by a version of few log days. Not those whose paths
--     were found under other rules: their credit would be of neither
-- grain: one conversion
-- makes: work_conversions
-- reads: conversion_values, conversion_signals, credits, credit_models
-- parameters: $model, $first_day, $last_day, $most_days (versions of so many log days are outgrown),
--     $rules_version
CREATE OR REPLACE TEMP TABLE work_conversions AS
WITH told AS (
    SELECT conversion_id
    FROM conversion_signals
    WHERE role = 'first' AND day BETWEEN $first_day AND $last_day
),
grown AS (
    -- equal content has one version: the most days that it was fitted on
    SELECT model_version
    FROM credit_models
    WHERE model = $model AND status = 'accepted'
    GROUP BY model_version
    HAVING max(last_day - first_day + 1) > $most_days
),
served AS (
    SELECT DISTINCT credits.conversion_id
    FROM credits
    JOIN grown ON grown.model_version = credits.model_version
    WHERE credits.model = $model
),
by_other_rules AS (
    SELECT DISTINCT conversion_id
    FROM credits
    WHERE rules_version <> $rules_version
)
SELECT
    conversion_values.conversion_id,
    conversion_values.day,
    conversion_values.advertiser_id,
    conversion_values.event_name,
    conversion_values.time_us,
    conversion_values.value_micros,
    'refit' AS cause
FROM conversion_values
JOIN told ON told.conversion_id = conversion_values.conversion_id
LEFT JOIN served ON served.conversion_id = conversion_values.conversion_id
LEFT JOIN by_other_rules ON by_other_rules.conversion_id = conversion_values.conversion_id
WHERE served.conversion_id IS NULL AND by_other_rules.conversion_id IS NULL
