-- purpose: keep the signals that repeat a key among the refused rows
-- grain: one refused row
-- reads: signals, repeated_rows
-- parameters: none
INSERT INTO rejected_rows BY NAME
SELECT
    day,
    'signals' AS table_name,
    'signal_id.repeated' AS rule,
    source_file,
    source_row,
    CAST(to_json(struct_pack(
        signal_id := signal_id,
        event_time := event_time,
        advertiser_id := advertiser_id,
        event_name := event_name,
        received_time := received_time,
        order_id := order_id,
        value := value,
        currency := currency,
        adjustment := adjustment,
        consent := consent
    )) AS VARCHAR) AS content
FROM signals
WHERE rowid IN (SELECT row_number FROM repeated_rows)
ORDER BY day, source_file, source_row
