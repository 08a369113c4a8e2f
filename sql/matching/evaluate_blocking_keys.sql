-- purpose: what each kind of key brought and dropped, and which true pairs no other kind found
-- grain: one kind of key
-- reads: judged_signals, blocking_keys, user_tokens, user_bands
-- parameters: none
WITH hits AS (
    SELECT DISTINCT blocking_keys.signal_id, blocking_keys.kind
    FROM blocking_keys
    JOIN judged_signals ON judged_signals.signal_id = blocking_keys.signal_id
    JOIN user_tokens
        ON user_tokens.kind = blocking_keys.kind
        AND user_tokens.token = blocking_keys.token
        AND user_tokens.user_id = judged_signals.true_user
    WHERE blocking_keys.used
        AND blocking_keys.kind <> 'band'
        AND user_tokens.sole_signal IS DISTINCT FROM blocking_keys.signal_id
    UNION ALL
    SELECT DISTINCT blocking_keys.signal_id, blocking_keys.kind
    FROM blocking_keys
    JOIN judged_signals ON judged_signals.signal_id = blocking_keys.signal_id
    JOIN user_bands
        ON user_bands.band = blocking_keys.band
        AND user_bands.bucket = blocking_keys.bucket
        AND user_bands.user_id = judged_signals.true_user
    WHERE blocking_keys.used AND blocking_keys.kind = 'band'
),
ways AS (
    SELECT signal_id, kind, count(*) OVER (PARTITION BY signal_id) AS kinds
    FROM hits
),
true_pairs AS (
    SELECT kind, count(*) AS found, count(*) FILTER (WHERE kinds = 1) AS found_alone
    FROM ways
    GROUP BY kind
),
brought AS (
    SELECT
        blocking_keys.kind,
        count(*) AS keys,
        count(*) FILTER (WHERE blocking_keys.used) AS keys_used,
        count(*) FILTER (WHERE NOT blocking_keys.used) AS keys_dropped,
        coalesce(sum(blocking_keys.users) FILTER (WHERE NOT blocking_keys.used), 0) AS users_dropped
    FROM blocking_keys
    JOIN judged_signals ON judged_signals.signal_id = blocking_keys.signal_id
    WHERE judged_signals.unmatched
    GROUP BY blocking_keys.kind
)
SELECT
    coalesce(brought.kind, true_pairs.kind) AS kind,
    CAST(coalesce(brought.keys, 0) AS BIGINT) AS keys,
    CAST(coalesce(brought.keys_used, 0) AS BIGINT) AS keys_used,
    CAST(coalesce(brought.keys_dropped, 0) AS BIGINT) AS keys_dropped,
    CAST(coalesce(brought.users_dropped, 0) AS BIGINT) AS users_dropped,
    CAST(coalesce(true_pairs.found, 0) AS BIGINT) AS found,
    CAST(coalesce(true_pairs.found_alone, 0) AS BIGINT) AS found_alone
FROM brought
FULL JOIN true_pairs ON true_pairs.kind = brought.kind
ORDER BY kind
