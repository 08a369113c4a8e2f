-- purpose: the conversions of some days whose user an identifier other than a click id names, as known_users
--     has them on a log day: who clicked has click ids, so that with those a model would see conversions
--     after clicks more often than others
-- grain: one (conversion_id, user_id)
-- makes: history_known_users
-- reads: conversion_users, conversion_signals, signal_identifiers, speaking_links
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE history_known_users AS
WITH likeliest AS (
    SELECT conversion_id, user_id
    FROM conversion_users
    WHERE day BETWEEN $first_day AND $last_day AND best
),
carried AS (
    SELECT DISTINCT
        conversion_signals.conversion_id,
        conversion_signals.day,
        signal_identifiers.kind,
        signal_identifiers.digest
    FROM likeliest
    JOIN conversion_signals ON conversion_signals.conversion_id = likeliest.conversion_id
    JOIN signal_identifiers ON signal_identifiers.signal_id = conversion_signals.signal_id
    WHERE conversion_signals.role IN ('first', 'repeat')
        AND signal_identifiers.kind IN ('email', 'phone', 'device_id', 'cookie_id')
),
named AS (
    SELECT carried.conversion_id, min(speaking_links.user_id) AS user_id
    FROM carried
    JOIN speaking_links
        ON speaking_links.kind = carried.kind
        AND speaking_links.digest = carried.digest
        AND carried.day BETWEEN speaking_links.speaks_from AND speaking_links.speaks_until
    WHERE speaking_links.source <> 'signals'
    GROUP BY carried.conversion_id, carried.kind, carried.digest
    HAVING min(speaking_links.user_id) = max(speaking_links.user_id)
)
SELECT DISTINCT likeliest.conversion_id, likeliest.user_id
FROM likeliest
JOIN named ON named.conversion_id = likeliest.conversion_id AND named.user_id = likeliest.user_id
