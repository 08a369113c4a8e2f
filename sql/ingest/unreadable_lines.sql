-- purpose: the lines that the text reader of this connection set aside
-- grain: one line, with the first thing wrong in it
-- reads: unreadable (made by read_csv and read_json_lines)
-- parameters: none
SELECT
    CAST(line AS BIGINT) AS source_row,
    'unreadable_' || replace(lower(CAST(arg_min(error_type, coalesce(column_idx, 0)) AS VARCHAR)), ' ', '_')
        AS rule,
    any_value(csv_line) AS content
FROM unreadable
GROUP BY line
ORDER BY source_row
