-- purpose: store a validated batch of costs
-- grain: one campaign and date, as told on one log day
-- reads: batch
-- parameters: $file
INSERT INTO costs BY NAME
SELECT
    log_day AS day,
    date,
    campaign_id,
    cost,
    currency,
    $file AS source_file,
    source_row
FROM batch
