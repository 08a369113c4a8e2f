-- purpose: how many touches that may earn stand before a conversion, of its likeliest user
-- grain: one advertiser and number of touches, from at_least on; conversions without a known user and
--     retracted ones do not count
-- reads: best_users, best_path_touches
-- parameters: none
WITH lengths AS (
    SELECT conversion_id, count(*) AS touches
    FROM best_path_touches
    GROUP BY conversion_id
),
binned AS (
    SELECT
        best_users.advertiser_id,
        CASE
            WHEN lengths.touches > 20 THEN 21
            WHEN lengths.touches > 10 THEN 11
            WHEN lengths.touches > 5 THEN 6
            ELSE coalesce(lengths.touches, 0)
        END AS at_least
    FROM best_users
    LEFT JOIN lengths ON lengths.conversion_id = best_users.conversion_id
)
SELECT
    advertiser_id,
    at_least,
    CASE at_least WHEN 21 THEN '>20' WHEN 11 THEN '11-20' WHEN 6 THEN '6-10' ELSE CAST(at_least AS VARCHAR) END
        AS touches,
    count(*) AS conversions,
    round(count(*) / sum(count(*)) OVER (PARTITION BY advertiser_id), 4) AS share
FROM binned
GROUP BY advertiser_id, at_least
ORDER BY advertiser_id, at_least
