-- purpose: which users showed the tokens that the signals have
-- grain: one (kind, token, user_id); sole_signal is the one signal that showed it, where nothing else did
-- makes: user_tokens
-- reads: window_activity, signal_tokens
-- parameters: none
CREATE OR REPLACE TEMP TABLE user_tokens AS
WITH sought AS (
    SELECT DISTINCT kind, token FROM signal_tokens
),
shown AS (
    SELECT user_id, signal_id, kind, token
    FROM window_activity
    UNPIVOT (
        token FOR kind IN (
            address, network, site, device, agent, screen, place, language, timezone, purchase,
            network_device, network_screen, address_device, agent_place, device_place
        )
    )
)
SELECT
    shown.kind,
    shown.token,
    shown.user_id,
    CASE WHEN count(*) = 1 THEN min(shown.signal_id) END AS sole_signal
FROM shown
JOIN sought ON sought.kind = shown.kind AND sought.token = shown.token
GROUP BY shown.kind, shown.token, shown.user_id
