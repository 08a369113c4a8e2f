-- purpose: make room for how often campaigns were shown on one log day
-- grain: one (day, campaign_id)
-- reads: holdout_days
-- parameters: $day
DELETE FROM holdout_days
WHERE day = $day
