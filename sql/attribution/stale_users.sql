-- purpose: who was thought to have made the conversions that are about to be replaced, and under
--     which rules they were credited
-- grain: one (conversion_id, user_id)
-- makes: stale_users
-- reads: conversion_users, stale_conversions, conversions, credits
-- parameters: none
CREATE OR REPLACE TEMP TABLE stale_users AS
WITH stale AS (
    SELECT DISTINCT conversion_id FROM stale_conversions WHERE conversion_id IS NOT NULL
),
credited AS (
    SELECT credits.conversion_id, min(credits.rules_version) AS rules_version
    FROM credits
    JOIN stale ON stale.conversion_id = credits.conversion_id
    GROUP BY credits.conversion_id
)
SELECT
    conversion_users.conversion_id,
    conversion_users.user_id,
    conversion_users.method,
    conversions.advertiser_id,
    conversions.event_name,
    epoch_us(conversions.event_time) AS time_us,
    credited.rules_version
FROM conversion_users
JOIN stale ON stale.conversion_id = conversion_users.conversion_id
JOIN conversions ON conversions.conversion_id = conversion_users.conversion_id
LEFT JOIN credited ON credited.conversion_id = conversion_users.conversion_id
