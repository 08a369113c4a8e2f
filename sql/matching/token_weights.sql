-- purpose: how often each token stands in a set: the rarer among the users, the oftener; of all tokens of
--     the window, so that a signal's candidates do not hang on which other signals look for theirs
-- grain: one (kind, token) that a user showed
-- makes: token_weights
-- reads: window_activity, active_users
-- parameters: none
CREATE OR REPLACE TEMP TABLE token_weights AS
WITH shown AS (
    SELECT DISTINCT user_id, kind, token
    FROM window_activity
    UNPIVOT (
        token FOR kind IN (address, network, device, device_place, screen, place, language, timezone)
    )
),
counted AS (
    SELECT kind, token, count(*) AS users FROM shown GROUP BY kind, token
)
SELECT
    counted.kind,
    counted.token,
    CAST(greatest(1, round(ln((SELECT count(*) FROM active_users) / counted.users))) AS INTEGER) AS weight
FROM counted
