-- purpose: candidate pairs of which both sides show an e-mail, or a phone, and whether it is the same
-- grain: one (signal_id, user_id, kind)
-- makes: pair_contacts
-- reads: candidate_pairs, signal_identifiers, known_contacts
-- parameters: none
CREATE OR REPLACE TEMP TABLE pair_contacts AS
WITH told AS (
    SELECT signal_identifiers.signal_id, signal_identifiers.kind, signal_identifiers.digest
    FROM signal_identifiers
    WHERE signal_identifiers.kind IN ('email', 'phone') AND signal_identifiers.digest IS NOT NULL
)
SELECT
    candidate_pairs.signal_id,
    candidate_pairs.user_id,
    told.kind,
    max(CASE WHEN told.digest = known_contacts.digest THEN 1 ELSE 0 END) AS same
FROM candidate_pairs
JOIN told ON told.signal_id = candidate_pairs.signal_id
JOIN known_contacts
    ON known_contacts.user_id = candidate_pairs.user_id AND known_contacts.kind = told.kind
GROUP BY candidate_pairs.signal_id, candidate_pairs.user_id, told.kind
