-- purpose: what became of every signal under last_touch: each stands for one unit, divided as the credit
--     of its conversion is, so that all outcomes together are the signals that were worked out
-- grain: one advertiser and outcome; not_credited where last_touch is no model of the warehouse
-- reads: conversion_signals, credits
-- parameters: none
WITH counted AS (
    SELECT
        advertiser_id,
        conversion_id,
        count(*) AS signals,
        count(*) FILTER (WHERE role = 'first') AS conversions
    FROM conversion_signals
    GROUP BY advertiser_id, conversion_id
),
outcomes AS (
    SELECT conversion_id, outcome, sum(credit_micros) AS credit_micros
    FROM credits
    WHERE model = 'last_touch'
    GROUP BY conversion_id, outcome
),
parts AS (
    SELECT
        counted.advertiser_id,
        CASE
            -- an adjustment of an order that was never seen earns nothing
            WHEN counted.conversion_id IS NULL THEN 'rejected'
            ELSE coalesce(outcomes.outcome, 'not_credited')
        END AS outcome,
        counted.signals * coalesce(outcomes.credit_micros, 1000000) AS signal_micros,
        counted.conversions * coalesce(outcomes.credit_micros, 1000000) AS conversion_micros
    FROM counted
    LEFT JOIN outcomes ON outcomes.conversion_id = counted.conversion_id
)
SELECT
    advertiser_id,
    outcome,
    round(sum(signal_micros) / 1e6, 6) AS signals,
    round(sum(conversion_micros) / 1e6, 6) AS conversions
FROM parts
GROUP BY advertiser_id, outcome
ORDER BY advertiser_id, outcome
