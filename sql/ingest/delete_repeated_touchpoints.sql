-- purpose: take the touchpoints that repeat a key out of the log
-- grain: one row too many
-- reads: touchpoints, repeated_rows
-- parameters: none
DELETE FROM touchpoints
WHERE rowid IN (SELECT row_number FROM repeated_rows)
