-- purpose: the other conversions of a week whose probabilities have changed that have a touch to earn
-- grain: one conversion
-- reads: path_touches, conversions, work_conversions
-- parameters: $week
INSERT INTO work_conversions BY NAME
WITH touched AS (
    SELECT DISTINCT conversion_id
    FROM path_touches
    WHERE day BETWEEN CAST($week AS DATE) AND CAST($week AS DATE) + 6 AND reason IS NULL
)
SELECT
    conversions.conversion_id,
    conversions.day,
    conversions.advertiser_id,
    conversions.event_name,
    epoch_us(conversions.event_time) AS time_us,
    CAST(CAST(coalesce(conversions.value, 0) AS DECIMAL(28, 6)) * 1000000 AS BIGINT) AS value_micros,
    'rates' AS cause
FROM conversions
JOIN touched ON touched.conversion_id = conversions.conversion_id
LEFT JOIN work_conversions ON work_conversions.conversion_id = conversions.conversion_id
WHERE work_conversions.conversion_id IS NULL
    AND conversions.day BETWEEN CAST($week AS DATE) AND CAST($week AS DATE) + 6
