-- purpose: keep the costs that repeat a key among the refused rows
-- grain: one refused row
-- reads: costs, repeated_rows
-- parameters: none
INSERT INTO rejected_rows BY NAME
SELECT
    day,
    'costs' AS table_name,
    'date.repeated' AS rule,
    source_file,
    source_row,
    CAST(to_json(struct_pack(
        date := date,
        campaign_id := campaign_id,
        cost := cost,
        currency := currency
    )) AS VARCHAR) AS content
FROM costs
WHERE rowid IN (SELECT row_number FROM repeated_rows)
ORDER BY day, source_file, source_row
