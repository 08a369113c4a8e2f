-- purpose: credit of conversions that do not exist
-- grain: one credit row
-- reads: credits, conversions
-- parameters: $first_day, $last_day
SELECT credits.conversion_id, credits.model
FROM credits
LEFT JOIN conversions ON conversions.conversion_id = credits.conversion_id
WHERE credits.day BETWEEN $first_day AND $last_day AND conversions.conversion_id IS NULL
ORDER BY credits.conversion_id, credits.model
