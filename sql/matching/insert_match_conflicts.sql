-- purpose: store which identifiers of the signals at work were not followed, and why
-- grain: one (signal_id, method)
-- reads: named_users, winners
-- parameters: none
INSERT INTO match_conflicts BY NAME
WITH judged AS (
    SELECT
        named_users.day,
        named_users.signal_id,
        named_users.method,
        CASE
            -- shared identifiers that together named the user were followed
            WHEN named_users.refusal = 'shared_identifier' AND winners.in_common AND NOT winners.vetoed
                THEN NULL
            WHEN named_users.refusal IS NOT NULL THEN named_users.refusal
            WHEN winners.vetoed AND named_users.user_id = winners.user_id THEN 'vetoed'
            WHEN named_users.user_id <> winners.user_id THEN 'other_user'
        END AS reason,
        named_users.user_id,
        named_users.users
    FROM named_users
    LEFT JOIN winners ON winners.signal_id = named_users.signal_id
)
SELECT day, signal_id, method, reason, user_id, users
FROM judged
WHERE reason IS NOT NULL
ORDER BY day, signal_id, method
