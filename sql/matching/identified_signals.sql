-- purpose: signals of the window whose identifiers named one user by the end of the last log day; what
--     was learned of them later, or from other signals, does not count, so that a day matched again
--     finds the same
-- grain: one signal
-- makes: identified_signals
-- reads: signal_identifiers, identity_links
-- parameters: $first_day, $last_day
CREATE OR REPLACE TEMP TABLE identified_signals AS
WITH named AS (
    SELECT
        signal_identifiers.signal_id,
        signal_identifiers.kind,
        signal_identifiers.digest,
        min(identity_links.user_id) AS user_id
    FROM signal_identifiers
    JOIN identity_links
        ON identity_links.kind = signal_identifiers.kind
        AND identity_links.digest = signal_identifiers.digest
    WHERE signal_identifiers.day BETWEEN $first_day AND $last_day
        AND identity_links.source <> 'signals'
        AND identity_links.first_day <= $last_day
    GROUP BY signal_identifiers.signal_id, signal_identifiers.kind, signal_identifiers.digest
    HAVING min(identity_links.user_id) = max(identity_links.user_id)
)
SELECT signal_id, min(user_id) AS user_id
FROM named
GROUP BY signal_id
HAVING min(user_id) = max(user_id)
