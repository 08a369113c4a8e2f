-- purpose: conversions whose credit is not exactly 1,000,000 micros, or whose value is not theirs
-- grain: one (conversion_id, model)
-- reads: conversions, credits
-- parameters: $first_day, $last_day
WITH sums AS (
    SELECT
        conversions.conversion_id,
        credits.model,
        CAST(CAST(coalesce(conversions.value, 0) AS DECIMAL(28, 6)) * 1000000 AS BIGINT) AS expected_value_micros,
        coalesce(sum(credits.credit_micros), 0) AS credit_micros,
        coalesce(sum(credits.value_micros), 0) AS value_micros
    FROM conversions
    LEFT JOIN credits ON credits.conversion_id = conversions.conversion_id
    WHERE conversions.day BETWEEN $first_day AND $last_day
    GROUP BY conversions.conversion_id, conversions.value, credits.model
)
SELECT conversion_id, model, credit_micros, value_micros, expected_value_micros
FROM sums
WHERE credit_micros <> 1000000 OR value_micros <> expected_value_micros
ORDER BY conversion_id, model
