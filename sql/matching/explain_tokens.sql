-- purpose: what the signal that is explained shows of where and how it was made, how many users show the
--     same, and whether candidates were sought by it
-- grain: one kind of token that the signal shows; users is 0 where no user does
-- reads: signal_tokens, token_users, active_users, blocking_keys
-- parameters: none
WITH population AS (
    SELECT count(*) AS users FROM active_users
)
SELECT
    signal_tokens.kind,
    coalesce(token_users.users, 0) AS users,
    population.users AS of_users,
    coalesce(blocking_keys.used, false) AS sought
FROM signal_tokens
CROSS JOIN population
LEFT JOIN token_users ON token_users.kind = signal_tokens.kind AND token_users.token = signal_tokens.token
LEFT JOIN blocking_keys
    ON blocking_keys.kind = signal_tokens.kind AND blocking_keys.token = signal_tokens.token
ORDER BY users, signal_tokens.kind
