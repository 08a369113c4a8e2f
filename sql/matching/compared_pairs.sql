-- purpose: the candidate pairs by the numbers of their signal and user, and whether both sides show the
--     same contact: 1 or 0 where both show one, else null
-- grain: one (signal_number, user_number)
-- reads: candidate_pairs, compared_signals, compared_users, pair_contacts
-- parameters: none
WITH contacts AS (
    SELECT
        signal_id,
        user_id,
        max(CASE WHEN kind = 'email' THEN same END) AS email_same,
        max(CASE WHEN kind = 'phone' THEN same END) AS phone_same
    FROM pair_contacts
    GROUP BY signal_id, user_id
)
SELECT
    compared_signals.signal_number,
    compared_users.user_number,
    CAST(contacts.email_same AS TINYINT) AS email_same,
    CAST(contacts.phone_same AS TINYINT) AS phone_same
FROM candidate_pairs
JOIN compared_signals ON compared_signals.signal_id = candidate_pairs.signal_id
JOIN compared_users ON compared_users.user_id = candidate_pairs.user_id
LEFT JOIN contacts
    ON contacts.signal_id = candidate_pairs.signal_id AND contacts.user_id = candidate_pairs.user_id
ORDER BY compared_signals.signal_number, compared_users.user_number
