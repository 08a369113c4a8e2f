-- purpose: what each candidate and the signal that is explained both showed: how often the candidate did,
--     on how many days, how long before the signal (below 0: after it), and how many users do
-- grain: one (user_id, kind), the rarest first
-- reads: model_signals, signal_tokens, candidate_pairs, window_activity, token_users, active_users
-- parameters: none
WITH told AS (
    SELECT signal_tokens.signal_id, model_signals.time_us, signal_tokens.kind, signal_tokens.token
    FROM signal_tokens
    JOIN model_signals ON model_signals.signal_id = signal_tokens.signal_id
),
shown AS (
    SELECT user_id, signal_id, day, time_us, kind, token
    FROM (
        SELECT window_activity.*
        FROM window_activity
        JOIN candidate_pairs ON candidate_pairs.user_id = window_activity.user_id
    )
    UNPIVOT (
        token FOR kind IN (
            address, network, site, device, agent, screen, place, language, timezone, purchase,
            network_device, network_screen, address_device, agent_place, device_place
        )
    )
),
population AS (
    SELECT count(*) AS users FROM active_users
)
SELECT
    shown.user_id,
    shown.kind,
    count(*) AS times,
    count(DISTINCT shown.day) AS days,
    arg_min(told.time_us - shown.time_us, abs(told.time_us - shown.time_us)) / 3600000000.0 AS hours_before,
    token_users.users,
    population.users AS of_users
FROM told
JOIN shown
    ON shown.kind = told.kind
    AND shown.token = told.token
    AND shown.signal_id IS DISTINCT FROM told.signal_id
JOIN token_users ON token_users.kind = told.kind AND token_users.token = told.token
CROSS JOIN population
GROUP BY shown.user_id, shown.kind, token_users.users, population.users
ORDER BY shown.user_id, token_users.users, shown.kind
