-- purpose: by which of its tokens and bands each signal finds candidates: the rarest first, as long as
--     the users that they bring stay within the budget
-- grain: one (signal_id, kind) of a token, or one (signal_id, band)
-- makes: blocking_keys
-- reads: signal_tokens, token_users, signal_bands, user_bands, blocking_kinds
-- parameters: $budget
CREATE OR REPLACE TEMP TABLE blocking_keys AS
WITH crowds AS (
    SELECT band, bucket, count(*) AS users
    FROM user_bands
    GROUP BY band, bucket
),
keys AS (
    SELECT
        signal_tokens.signal_id,
        signal_tokens.kind,
        CAST(0 AS SMALLINT) AS band,
        signal_tokens.token,
        CAST(NULL AS BIGINT) AS bucket,
        token_users.users
    FROM signal_tokens
    JOIN token_users
        ON token_users.kind = signal_tokens.kind AND token_users.token = signal_tokens.token
    UNION ALL
    SELECT
        signal_bands.signal_id,
        'band' AS kind,
        signal_bands.band,
        NULL AS token,
        signal_bands.bucket,
        crowds.users
    FROM signal_bands
    JOIN crowds ON crowds.band = signal_bands.band AND crowds.bucket = signal_bands.bucket
)
SELECT
    keys.signal_id,
    keys.kind,
    keys.band,
    keys.token,
    keys.bucket,
    keys.users,
    sum(keys.users) OVER (
        PARTITION BY keys.signal_id
        ORDER BY keys.users / blocking_kinds.weight, keys.kind, keys.band
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) <= $budget AS used
FROM keys
JOIN blocking_kinds ON blocking_kinds.kind = keys.kind
