-- purpose: how many users saw each campaign how often, and how many of them converted after it
-- grain: one campaign and number of impressions of one user, from at_least on. A user converted where a
--     touch of the campaign may earn a conversion of which he is the likeliest user; withheld ads and
--     retracted conversions do not count
-- reads: single_touchpoints, best_path_touches
-- parameters: none
WITH seen AS (
    SELECT campaign_id, user_id, count(*) AS impressions
    FROM single_touchpoints
    WHERE kind = 'impression' AND (arm IS NULL OR arm <> 'control')
    GROUP BY campaign_id, user_id
),
converted AS (
    SELECT campaign_id, user_id, count(DISTINCT conversion_id) AS conversions
    FROM best_path_touches
    GROUP BY campaign_id, user_id
),
binned AS (
    SELECT
        seen.campaign_id,
        CASE
            WHEN seen.impressions > 10 THEN 11
            WHEN seen.impressions > 5 THEN 6
            WHEN seen.impressions > 2 THEN 3
            ELSE seen.impressions
        END AS at_least,
        seen.impressions,
        converted.conversions
    FROM seen
    LEFT JOIN converted
        ON converted.campaign_id = seen.campaign_id AND converted.user_id = seen.user_id
)
SELECT
    campaign_id,
    at_least,
    CASE at_least WHEN 11 THEN '>10' WHEN 6 THEN '6-10' WHEN 3 THEN '3-5' ELSE CAST(at_least AS VARCHAR) END
        AS impressions_per_user,
    count(*) AS users,
    CAST(sum(count(*)) OVER (PARTITION BY campaign_id) AS BIGINT) AS reach,
    CAST(sum(impressions) AS BIGINT) AS impressions,
    count(conversions) AS users_converted,
    CAST(coalesce(sum(conversions), 0) AS BIGINT) AS conversions,
    round(count(conversions) / count(*), 6) AS conversion_rate
FROM binned
GROUP BY campaign_id, at_least
ORDER BY campaign_id, at_least
