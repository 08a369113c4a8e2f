-- purpose: the refused rows of the log signals that hold one signal_id
-- grain: one refused row
-- reads: rejected_rows
-- parameters: $signal_id
SELECT day, rule, source_file, source_row
FROM rejected_rows
WHERE table_name = 'signals'
    AND CASE WHEN json_valid(content) THEN json_extract_string(content, '$.signal_id') END = $signal_id
ORDER BY day NULLS FIRST, source_file, source_row, rule
