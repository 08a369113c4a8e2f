-- purpose: how often each campaign was shown on the log days of one week and the three before
-- grain: one campaign_id; users count once a log day
-- reads: holdout_days
-- parameters: $week
SELECT
    campaign_id,
    min(advertiser_id) AS advertiser_id,
    CAST(sum(treated_users) AS BIGINT) AS treated_users,
    CAST(sum(control_users) AS BIGINT) AS control_users,
    CAST(sum(impressions) AS BIGINT) AS impressions,
    CAST(sum(engaged_views) AS BIGINT) AS engaged_views,
    CAST(sum(clicks) AS BIGINT) AS clicks
FROM holdout_days
WHERE day BETWEEN CAST($week AS DATE) - 21 AND CAST($week AS DATE) + 6
GROUP BY campaign_id
ORDER BY campaign_id
