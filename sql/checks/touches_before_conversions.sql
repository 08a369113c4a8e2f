-- purpose: credited touches that lie after their conversion
-- grain: one credit row
-- reads: credits, conversions
-- parameters: $first_day, $last_day
SELECT credits.conversion_id, credits.model, credits.touch_id
FROM credits
JOIN conversions ON conversions.conversion_id = credits.conversion_id
WHERE credits.day BETWEEN $first_day AND $last_day
    AND credits.outcome = 'touch'
    AND (credits.touch_time IS NULL OR credits.touch_time > conversions.event_time)
ORDER BY credits.conversion_id, credits.model, credits.touch_id
