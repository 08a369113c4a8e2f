-- purpose: the conversions of some days whose user an identifier other than a click id names: with the others
--     a model would see conversions after clicks more often than those after views
-- grain: one (conversion_id, user_id)
-- makes: history_known_users
-- reads: conversion_users, names_without_clicks
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE history_known_users AS
WITH likeliest AS (
    SELECT conversion_id, user_id
    FROM conversion_users
    WHERE day BETWEEN $first_day AND $last_day AND best
),
named AS (
    SELECT names_without_clicks.conversion_id, min(names_without_clicks.user_id) AS user_id
    FROM names_without_clicks
    JOIN likeliest ON likeliest.conversion_id = names_without_clicks.conversion_id
    GROUP BY
        names_without_clicks.conversion_id, names_without_clicks.day, names_without_clicks.kind,
        names_without_clicks.digest
    HAVING min(names_without_clicks.user_id) = max(names_without_clicks.user_id)
)
SELECT DISTINCT likeliest.conversion_id, likeliest.user_id
FROM likeliest
JOIN named ON named.conversion_id = likeliest.conversion_id AND named.user_id = likeliest.user_id
