-- purpose: take the signals that repeat a key out of the log
-- grain: one row too many
-- reads: signals, repeated_rows
-- parameters: none
DELETE FROM signals
WHERE rowid IN (SELECT row_number FROM repeated_rows)
