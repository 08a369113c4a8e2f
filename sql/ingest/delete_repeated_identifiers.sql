-- purpose: take the identifiers of stored signals that repeat a key out of the log
-- grain: one identifier
-- reads: signal_identifiers, signals, repeated_rows
-- parameters: none
DELETE FROM signal_identifiers
WHERE (day, signal_id) IN (
    SELECT (signals.day, signals.signal_id)
    FROM signals
    JOIN repeated_rows ON repeated_rows.row_number = signals.rowid
)
