-- purpose: how many users share each token of a signal, those aside whom only the signal itself shows
-- grain: one signal with a token that some user showed
-- makes: signal_crowds
-- reads: signal_tokens, token_users, user_tokens
-- parameters: none
CREATE OR REPLACE TEMP TABLE signal_crowds AS
WITH own AS (
    SELECT sole_signal AS signal_id, kind, count(*) AS users
    FROM user_tokens
    WHERE sole_signal IS NOT NULL
    GROUP BY sole_signal, kind
),
crowds AS (
    SELECT
        signal_tokens.signal_id,
        signal_tokens.kind,
        nullif(token_users.users - coalesce(own.users, 0), 0) AS users
    FROM signal_tokens
    JOIN token_users
        ON token_users.kind = signal_tokens.kind AND token_users.token = signal_tokens.token
    LEFT JOIN own ON own.signal_id = signal_tokens.signal_id AND own.kind = signal_tokens.kind
)
SELECT
    signal_id,
    max(CASE WHEN kind = 'address' THEN users END) AS address_users,
    max(CASE WHEN kind = 'network' THEN users END) AS network_users,
    max(CASE WHEN kind = 'site' THEN users END) AS site_users,
    max(CASE WHEN kind = 'device' THEN users END) AS device_users,
    max(CASE WHEN kind = 'agent' THEN users END) AS agent_users,
    max(CASE WHEN kind = 'screen' THEN users END) AS screen_users,
    max(CASE WHEN kind = 'network_device' THEN users END) AS network_device_users,
    max(CASE WHEN kind = 'network_screen' THEN users END) AS network_screen_users,
    max(CASE WHEN kind = 'address_device' THEN users END) AS address_device_users,
    max(CASE WHEN kind = 'agent_place' THEN users END) AS agent_place_users,
    max(CASE WHEN kind = 'device_place' THEN users END) AS device_place_users,
    max(CASE WHEN kind = 'place' THEN users END) AS place_users,
    max(CASE WHEN kind = 'language' THEN users END) AS language_users,
    max(CASE WHEN kind = 'timezone' THEN users END) AS timezone_users,
    max(CASE WHEN kind = 'purchase' THEN users END) AS purchase_users
FROM crowds
GROUP BY signal_id
