-- purpose: keep how many identifiers of a batch were refused, and why
-- grain: one count; a day, kind and refusal may have several, of several batches
-- reads: batch
-- parameters: $table_name
INSERT INTO refused_identifiers BY NAME
SELECT log_day AS day, $table_name AS table_name, kind, refusal, row_count
FROM batch
