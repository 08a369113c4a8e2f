-- purpose: make room for what blocking found on one log day
-- grain: one log day and kind of key
-- reads: blocking_days
-- parameters: $day
DELETE FROM blocking_days
WHERE day = $day
