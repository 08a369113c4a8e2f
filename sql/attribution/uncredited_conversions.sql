-- purpose: the conversions first told on some log days that have no credit under a model, to be given it
-- grain: one conversion
-- makes: work_conversions
-- reads: conversion_values, conversion_signals, credits
-- parameters: $model, $first_day, $last_day
CREATE OR REPLACE TEMP TABLE work_conversions AS
WITH told AS (
    SELECT conversion_id
    FROM conversion_signals
    WHERE role = 'first' AND day BETWEEN $first_day AND $last_day
),
credited AS (
    SELECT DISTINCT conversion_id
    FROM credits
    WHERE model = $model
)
SELECT
    conversion_values.conversion_id,
    conversion_values.day,
    conversion_values.advertiser_id,
    conversion_values.event_name,
    conversion_values.time_us,
    conversion_values.value_micros,
    'models' AS cause
FROM conversion_values
JOIN told ON told.conversion_id = conversion_values.conversion_id
LEFT JOIN credited ON credited.conversion_id = conversion_values.conversion_id
WHERE credited.conversion_id IS NULL
