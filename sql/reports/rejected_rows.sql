-- purpose: every row that was refused, with the rule that it broke and what it held
-- grain: one refused row; without a day where it could not be dated
-- reads: rejected_rows
-- parameters: none
SELECT day, rule, source_file, source_row, content, table_name
FROM rejected_rows
ORDER BY day NULLS FIRST, table_name, source_file, source_row, rule, content
