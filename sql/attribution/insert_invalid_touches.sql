-- purpose: store the invalid touches of one log day
-- grain: one touch
-- reads: invalid_clicks
-- parameters: $day
INSERT INTO invalid_touches BY NAME
SELECT CAST($day AS DATE) AS day, touch_id, reason
FROM invalid_clicks
ORDER BY touch_id
