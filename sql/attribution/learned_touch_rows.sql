-- purpose: the touches of the paths at work as models read them
-- grain: one (path, place)
-- reads: learned_touches
-- parameters: none
SELECT place, path, campaign_id, kind, advertiser_id, time_us, end_us
FROM learned_touches
ORDER BY place
