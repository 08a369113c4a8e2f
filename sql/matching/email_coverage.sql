-- purpose: of how many users an e-mail is known, and of how many e-mails of signals a user is
-- grain: one row
-- reads: active_users, known_contacts, model_signals, signal_identifiers
-- parameters: none
WITH told AS (
    SELECT DISTINCT signal_identifiers.signal_id, signal_identifiers.digest
    FROM signal_identifiers
    JOIN model_signals ON model_signals.signal_id = signal_identifiers.signal_id
    WHERE signal_identifiers.kind = 'email' AND signal_identifiers.digest IS NOT NULL
),
emails AS (
    SELECT DISTINCT user_id, digest FROM known_contacts WHERE kind = 'email'
)
SELECT
    (SELECT count(*) FROM active_users) AS users,
    (SELECT count(DISTINCT user_id) FROM emails) AS users_with_email,
    (SELECT count(DISTINCT signal_id) FROM told) AS signals_with_email,
    (SELECT count(DISTINCT told.signal_id) FROM told JOIN emails ON emails.digest = told.digest)
        AS signals_with_known_email
