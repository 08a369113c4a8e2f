-- purpose: for what the rules of paths must be known
-- grain: one (advertiser_id, event_name, method)
-- reads: work_conversions, new_users
-- parameters: none
SELECT DISTINCT work_conversions.advertiser_id, work_conversions.event_name, new_users.method
FROM work_conversions
JOIN new_users ON new_users.conversion_id = work_conversions.conversion_id
ORDER BY work_conversions.advertiser_id, work_conversions.event_name, new_users.method
