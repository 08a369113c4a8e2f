-- purpose: the other conversions of a week whose probabilities have changed that have a touch to earn
-- grain: one conversion
-- reads: path_touches, conversion_values, work_conversions
-- parameters: $week
INSERT INTO work_conversions BY NAME
WITH touched AS (
    SELECT DISTINCT conversion_id
    FROM path_touches
    WHERE day BETWEEN CAST($week AS DATE) AND CAST($week AS DATE) + 6 AND reason IS NULL
)
SELECT
    conversion_values.conversion_id,
    conversion_values.day,
    conversion_values.advertiser_id,
    conversion_values.event_name,
    conversion_values.time_us,
    conversion_values.value_micros,
    'rates' AS cause
FROM conversion_values
JOIN touched ON touched.conversion_id = conversion_values.conversion_id
LEFT JOIN work_conversions ON work_conversions.conversion_id = conversion_values.conversion_id
WHERE work_conversions.conversion_id IS NULL
    AND conversion_values.day BETWEEN CAST($week AS DATE) AND CAST($week AS DATE) + 6
