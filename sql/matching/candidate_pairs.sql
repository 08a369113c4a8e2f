-- purpose: the users that compete for each signal
-- grain: one (signal_id, user_id)
-- makes: candidate_pairs
-- reads: blocking_keys, user_tokens, user_bands
-- parameters: none
CREATE OR REPLACE TEMP TABLE candidate_pairs AS
SELECT blocking_keys.signal_id, user_tokens.user_id
FROM blocking_keys
JOIN user_tokens
    ON user_tokens.kind = blocking_keys.kind AND user_tokens.token = blocking_keys.token
WHERE blocking_keys.used
    AND blocking_keys.kind <> 'band'
    -- a signal is no evidence of its own
    AND user_tokens.sole_signal IS DISTINCT FROM blocking_keys.signal_id
UNION
SELECT blocking_keys.signal_id, user_bands.user_id
FROM blocking_keys
JOIN user_bands
    ON user_bands.band = blocking_keys.band AND user_bands.bucket = blocking_keys.bucket
WHERE blocking_keys.used AND blocking_keys.kind = 'band'
