-- purpose: when the touches of one log day happened
-- grain: one row; null where the day has none
-- reads: touchpoints
-- parameters: $day
SELECT min(event_time) AS first_time
FROM touchpoints
WHERE day = $day
