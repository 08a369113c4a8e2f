-- purpose: the identifiers of the signals at work: of each kind the digests of one value
-- grain: one (signal_id, method)
-- makes: carried_values
-- reads: work_signals, signal_identifiers
-- parameters: none
CREATE OR REPLACE TEMP TABLE carried_values AS
SELECT
    signal_identifiers.day,
    signal_identifiers.signal_id,
    signal_identifiers.kind AS method,
    array_agg(signal_identifiers.digest ORDER BY signal_identifiers.digest) AS digests
FROM signal_identifiers
JOIN work_signals ON work_signals.signal_id = signal_identifiers.signal_id
WHERE signal_identifiers.digest IS NOT NULL
GROUP BY signal_identifiers.day, signal_identifiers.signal_id, signal_identifiers.kind
