-- purpose: store the identifiers of the signals that were not refused as repeats
-- grain: one identifier of one signal
-- reads: staged_identifiers, signals
-- parameters: none
INSERT INTO signal_identifiers BY NAME
SELECT
    signals.day,
    signals.signal_id,
    staged_identifiers.kind,
    staged_identifiers.digest,
    staged_identifiers.recipes,
    staged_identifiers.refusal
FROM staged_identifiers
JOIN signals
    ON signals.day = staged_identifiers.day
    AND signals.signal_id = staged_identifiers.signal_id
    AND signals.source_file = staged_identifiers.source_file
    AND signals.source_row = staged_identifiers.source_row
