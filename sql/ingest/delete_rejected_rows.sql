-- purpose: make room for the refused rows of one table and some log days that are read again
-- grain: one refused row
-- reads: rejected_rows
-- parameters: $table_name, $first_day, $last_day, $undated
DELETE FROM rejected_rows
WHERE table_name = $table_name
    AND (day BETWEEN $first_day AND $last_day OR ($undated AND day IS NULL))
