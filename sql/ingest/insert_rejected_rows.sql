-- purpose: keep the rows of a batch that broke a rule
-- grain: one refused row
-- reads: batch
-- parameters: $table_name, $file
INSERT INTO rejected_rows BY NAME
SELECT
    log_day AS day,
    $table_name AS table_name,
    rule,
    $file AS source_file,
    source_row,
    content
FROM batch
