-- purpose: make room for the thresholds of one log day
-- grain: one log day and advertiser
-- reads: match_thresholds
-- parameters: $day
DELETE FROM match_thresholds
WHERE day = $day
