-- purpose: conversions without exactly one first signal
-- grain: one conversion
-- reads: conversions, conversion_signals
-- parameters: $first_day, $last_day
WITH firsts AS (
    SELECT conversion_id, count(*) AS signals
    FROM conversion_signals
    WHERE role = 'first'
    GROUP BY conversion_id
)
SELECT conversions.conversion_id, coalesce(firsts.signals, 0) AS signals
FROM conversions
LEFT JOIN firsts ON firsts.conversion_id = conversions.conversion_id
WHERE conversions.day BETWEEN $first_day AND $last_day AND coalesce(firsts.signals, 0) <> 1
ORDER BY conversions.conversion_id
