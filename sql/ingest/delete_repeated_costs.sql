-- purpose: take the costs that repeat a key out of the log
-- grain: one row too many
-- reads: costs, repeated_rows
-- parameters: none
DELETE FROM costs
WHERE rowid IN (SELECT row_number FROM repeated_rows)
