-- purpose: how many of the signals that repeat a key are of the days being read
-- grain: one row
-- reads: signals, repeated_rows
-- parameters: $days
SELECT count(*) AS row_count
FROM signals
JOIN repeated_rows ON repeated_rows.row_number = signals.rowid
WHERE array_contains($days, signals.day)
