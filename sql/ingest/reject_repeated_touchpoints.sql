-- purpose: keep the touchpoints that repeat a key among the refused rows
-- grain: one refused row
-- reads: touchpoints, repeated_rows
-- parameters: none
INSERT INTO rejected_rows BY NAME
SELECT
    day,
    'touchpoints' AS table_name,
    'touch_id.repeated' AS rule,
    source_file,
    source_row,
    CAST(to_json(struct_pack(
        touch_id := touch_id,
        event_time := event_time,
        user_id := user_id,
        kind := kind,
        advertiser_id := advertiser_id,
        campaign_id := campaign_id,
        ad_id := ad_id,
        surface := surface,
        creator_id := creator_id,
        cost := cost,
        currency := currency,
        arm := arm
    )) AS VARCHAR) AS content
FROM touchpoints
WHERE rowid IN (SELECT row_number FROM repeated_rows)
ORDER BY day, source_file, source_row
