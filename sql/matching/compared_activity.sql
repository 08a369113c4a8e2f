-- purpose: what was seen of the users who compete for signals, by numbers, which compare faster than names;
--     of each token the lower half of its hash
-- grain: one observation, or one signal (with its number, where that signal is compared)
-- reads: window_activity, compared_users, compared_signals
-- parameters: none
SELECT
    compared_users.user_number,
    compared_signals.signal_number,
    seen.time_us,
    seen.browser_major,
    CAST(seen.address & 4294967295 AS UINTEGER) AS address,
    CAST(seen.network & 4294967295 AS UINTEGER) AS network,
    CAST(seen.site & 4294967295 AS UINTEGER) AS site,
    CAST(seen.device & 4294967295 AS UINTEGER) AS device,
    CAST(seen.agent & 4294967295 AS UINTEGER) AS agent,
    CAST(seen.screen & 4294967295 AS UINTEGER) AS screen,
    CAST(seen.network_device & 4294967295 AS UINTEGER) AS network_device,
    CAST(seen.network_screen & 4294967295 AS UINTEGER) AS network_screen,
    CAST(seen.address_device & 4294967295 AS UINTEGER) AS address_device,
    CAST(seen.agent_place & 4294967295 AS UINTEGER) AS agent_place,
    CAST(seen.device_place & 4294967295 AS UINTEGER) AS device_place,
    CAST(seen.place & 4294967295 AS UINTEGER) AS place,
    CAST(seen.language & 4294967295 AS UINTEGER) AS language,
    CAST(seen.timezone & 4294967295 AS UINTEGER) AS timezone,
    CAST(seen.purchase & 4294967295 AS UINTEGER) AS purchase,
    CAST(seen.week_part & 4294967295 AS UINTEGER) AS week_part,
    CAST(seen.system & 4294967295 AS UINTEGER) AS system,
    CAST(seen.form & 4294967295 AS UINTEGER) AS form
FROM window_activity AS seen
JOIN compared_users ON compared_users.user_id = seen.user_id
LEFT JOIN compared_signals ON compared_signals.signal_id = seen.signal_id
ORDER BY compared_users.user_number
