-- purpose: store which identifiers of the signals at work were not followed, and why
-- grain: one (signal_id, method)
-- reads: named_users, winners
-- parameters: none
INSERT INTO match_conflicts BY NAME
SELECT
    named_users.day,
    named_users.signal_id,
    named_users.method,
    CASE WHEN named_users.users > 1 THEN 'shared_identifier' ELSE 'other_user' END AS reason,
    named_users.user_id,
    named_users.users
FROM named_users
LEFT JOIN winners ON winners.signal_id = named_users.signal_id
WHERE named_users.users > 1 OR named_users.user_id <> winners.user_id
ORDER BY named_users.day, named_users.signal_id, named_users.method
