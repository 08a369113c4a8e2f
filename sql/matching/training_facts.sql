-- purpose: what is known of the signals that a model learns from
-- grain: one signal
-- reads: training_signals, model_signals, signal_identifiers, known_contacts
-- parameters: none
WITH known AS (
    SELECT DISTINCT signal_identifiers.signal_id
    FROM training_signals
    JOIN signal_identifiers ON signal_identifiers.signal_id = training_signals.signal_id
    JOIN known_contacts
        ON known_contacts.kind = signal_identifiers.kind
        AND known_contacts.digest = signal_identifiers.digest
)
SELECT
    training_signals.signal_id,
    model_signals.day,
    model_signals.advertiser_id,
    training_signals.person,
    training_signals.named_user,
    known.signal_id IS NOT NULL AS known
FROM training_signals
JOIN model_signals ON model_signals.signal_id = training_signals.signal_id
LEFT JOIN known ON known.signal_id = training_signals.signal_id
ORDER BY training_signals.signal_id
