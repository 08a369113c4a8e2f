-- purpose: make room for the invalid touches of one log day
-- grain: one touch
-- reads: invalid_touches
-- parameters: $day
DELETE FROM invalid_touches
WHERE day = $day
