-- purpose: how long before a conversion its likeliest user was first touched, and last
-- grain: one advertiser and length of time, from at_least_hours on: the lower edge counts, the upper
--     does not; conversions without a touch that may earn and retracted ones do not count
-- reads: best_path_touches
-- parameters: none
WITH bins AS (
    SELECT unnest([
        {'at_least_hours': 0, 'below_hours': 1, 'lag': '< 1 hour'},
        {'at_least_hours': 1, 'below_hours': 6, 'lag': '1-6 hours'},
        {'at_least_hours': 6, 'below_hours': 24, 'lag': '6-24 hours'},
        {'at_least_hours': 24, 'below_hours': 48, 'lag': '1-2 days'},
        {'at_least_hours': 48, 'below_hours': 72, 'lag': '2-3 days'},
        {'at_least_hours': 72, 'below_hours': 168, 'lag': '3-7 days'},
        {'at_least_hours': 168, 'below_hours': 336, 'lag': '7-14 days'},
        {'at_least_hours': 336, 'below_hours': 720, 'lag': '14-30 days'},
        {'at_least_hours': 720, 'below_hours': 876000, 'lag': '>= 30 days'}
    ], recursive := true)
),
paths AS (
    SELECT
        advertiser_id,
        conversion_id,
        epoch_us(any_value(event_time)) - epoch_us(min(touch_time)) AS first_us,
        epoch_us(any_value(event_time)) - epoch_us(max(touch_time)) AS last_us
    FROM best_path_touches
    GROUP BY advertiser_id, conversion_id
),
lags AS (
    -- whole hours are enough: every edge is one
    SELECT advertiser_id, first_us // 3600000000 AS hours, count(*) AS of_first, 0 AS of_last
    FROM paths
    GROUP BY advertiser_id, hours
    UNION ALL
    SELECT advertiser_id, last_us // 3600000000 AS hours, 0, count(*)
    FROM paths
    GROUP BY advertiser_id, hours
)
SELECT
    lags.advertiser_id,
    bins.at_least_hours,
    bins.lag,
    CAST(sum(lags.of_first) AS BIGINT) AS from_first_touch,
    CAST(sum(lags.of_last) AS BIGINT) AS from_last_touch,
    round(sum(lags.of_first) / sum(sum(lags.of_first)) OVER (PARTITION BY lags.advertiser_id), 4)
        AS share_from_first,
    round(sum(lags.of_last) / sum(sum(lags.of_last)) OVER (PARTITION BY lags.advertiser_id), 4)
        AS share_from_last
FROM lags
JOIN bins ON lags.hours >= bins.at_least_hours AND lags.hours < bins.below_hours
GROUP BY lags.advertiser_id, bins.at_least_hours, bins.lag
ORDER BY lags.advertiser_id, bins.at_least_hours
