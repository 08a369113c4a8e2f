-- purpose: what became of every signal: each stands in exactly one outcome
-- grain: one advertiser and outcome
-- reads: conversion_signals, credits
-- parameters: none
WITH outcomes AS (
    SELECT conversion_id, any_value(outcome) AS outcome
    FROM credits
    WHERE model = 'last_touch'
    GROUP BY conversion_id
)
SELECT
    conversion_signals.advertiser_id,
    -- an adjustment of an order that was never seen earns nothing
    coalesce(outcomes.outcome, 'rejected') AS outcome,
    count(*) AS signals,
    count(*) FILTER (WHERE conversion_signals.role = 'first') AS conversions
FROM conversion_signals
LEFT JOIN outcomes ON outcomes.conversion_id = conversion_signals.conversion_id
GROUP BY ALL
ORDER BY conversion_signals.advertiser_id, outcome
