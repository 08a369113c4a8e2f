-- purpose: the signals of one log day that a model can learn from: those that show an e-mail or a phone,
--     whether or not a user is known by it
-- grain: one signal
-- makes: training_signals
-- reads: signals, signal_identifiers, identity_links
-- parameters: $day
CREATE OR REPLACE TEMP TABLE training_signals AS
WITH contacts AS (
    SELECT signal_id, min(digest) AS digest
    FROM signal_identifiers
    WHERE day = $day AND kind IN ('email', 'phone') AND digest IS NOT NULL
    GROUP BY signal_id
),
named AS (
    -- by what is no contact and hardly ever shared, whatever the contacts say
    SELECT signal_identifiers.signal_id, min(identity_links.user_id) AS user_id
    FROM signal_identifiers
    JOIN identity_links
        ON identity_links.kind = signal_identifiers.kind
        AND identity_links.digest = signal_identifiers.digest
        AND identity_links.first_day <= $day
    WHERE signal_identifiers.day = $day AND signal_identifiers.kind IN ('click_id', 'device_id')
    GROUP BY signal_identifiers.signal_id
    HAVING count(DISTINCT identity_links.user_id) = 1
)
SELECT
    signals.signal_id,
    -- signals of one contact are of one person, and are learned from or judged together
    hash(contacts.digest) AS person,
    named.user_id AS named_user
FROM signals
JOIN contacts ON contacts.signal_id = signals.signal_id
LEFT JOIN named ON named.signal_id = signals.signal_id
WHERE signals.day = $day AND signals.is_bot IS DISTINCT FROM true
