-- purpose: of how many users an e-mail is known, and of how many e-mails of signals a user is
-- grain: one row
-- reads: active_users, known_contacts, model_signals, signal_identifiers
-- parameters: none
WITH told AS (
    SELECT DISTINCT signal_identifiers.signal_id
    FROM signal_identifiers
    JOIN model_signals ON model_signals.signal_id = signal_identifiers.signal_id
    WHERE signal_identifiers.kind = 'email' AND signal_identifiers.digest IS NOT NULL
),
found AS (
    SELECT DISTINCT told.signal_id
    FROM told
    JOIN signal_identifiers ON signal_identifiers.signal_id = told.signal_id
    JOIN known_contacts
        ON known_contacts.kind = 'email' AND known_contacts.digest = signal_identifiers.digest
    WHERE signal_identifiers.kind = 'email'
)
SELECT
    (SELECT count(*) FROM active_users) AS users,
    (SELECT count(DISTINCT user_id) FROM known_contacts WHERE kind = 'email') AS users_with_email,
    (SELECT count(*) FROM told) AS signals_with_email,
    (SELECT count(*) FROM found) AS signals_with_known_email
