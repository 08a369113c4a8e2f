-- purpose: make room for the refused rows of one table and some log days that are read again
-- grain: one refused row
-- reads: rejected_rows
-- parameters: $table_name, $days, $undated
DELETE FROM rejected_rows
WHERE table_name = $table_name
    AND (array_contains($days, day) OR ($undated AND day IS NULL))
