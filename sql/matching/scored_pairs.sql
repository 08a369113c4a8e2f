-- purpose: the features of the candidate pairs, and which contacts of the two sides can be compared
-- grain: one (signal_id, user_id)
-- reads: pair_features, pair_contacts, model_signals
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
    pair_features.*,
    model_signals.day,
    model_signals.advertiser_id,
    contacts.email_same,
    contacts.phone_same
FROM pair_features
JOIN model_signals ON model_signals.signal_id = pair_features.signal_id
LEFT JOIN contacts
    ON contacts.signal_id = pair_features.signal_id AND contacts.user_id = pair_features.user_id
ORDER BY pair_features.signal_id, pair_features.user_id
