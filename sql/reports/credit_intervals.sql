-- purpose: how sure the credit and value of each campaign, ad, creator, surface and advertiser are, under each
--     model: 90% intervals of a Poisson bootstrap over users, as infinitely many replicates would give them
-- grain: one dimension, name (null: not told; of the dimension all, everything of the currency), currency of the
--     conversions and model; retracted conversions do not count. Where a model has several currencies, all of
--     them together are named (all currencies): credit, and value in the currency of the reports, null where
--     none is named or a rate is missing. A replicate adds up (w p + B - p) c over users
--     and conversions: w how often the user is drawn (Poisson, mean and variance 1), B whether he is the one
--     matched (probability p), c what he earned if so; x = p c is stored. The draws are independent and stand
--     side by side, so that the variance is the sum over users of (sum of x)^2 + sum of x^2 (1 - p) / p
-- reads: valued_credits, path_touches, conversion_users, warehouse_settings
-- parameters: none
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
),
known AS (
    -- numbers for what is grouped by: they take less time and memory than texts
    SELECT
        conversion_id,
        user_id,
        row_number() OVER () AS candidate,
        dense_rank() OVER (ORDER BY user_id) AS user_number,
        (1000000 - user_micros) / nullif(user_micros, 0) AS odds_against
    FROM conversion_users
),
earned AS (
    SELECT
        known.candidate,
        known.user_number,
        known.odds_against,
        valued_credits.model,
        valued_credits.currency,
        valued_credits.campaign_id,
        valued_credits.advertiser_id,
        path_touches.ad_id,
        path_touches.creator_id,
        path_touches.surface,
        valued_credits.credit_micros,
        valued_credits.value_micros,
        valued_credits.converted_micros
    FROM valued_credits
    LEFT JOIN path_touches
        ON path_touches.conversion_id = valued_credits.conversion_id
        AND path_touches.touch_id = valued_credits.touch_id
        AND path_touches.user_id = valued_credits.user_id
    LEFT JOIN known
        ON known.conversion_id = valued_credits.conversion_id
        AND known.user_id = valued_credits.user_id
    WHERE valued_credits.outcome = 'touch' AND valued_credits.status <> 'retracted'
),
candidates AS (
    -- one candidate user of one conversion: x of credit and of value. Of five names one is grouped by.
    -- The dimension is of a type that is sorted as its values are listed: all, then campaigns
    SELECT
        CAST(CASE
            WHEN grouping(campaign_id) = 0 THEN 'campaign'
            WHEN grouping(ad_id) = 0 THEN 'ad'
            WHEN grouping(creator_id) = 0 THEN 'creator'
            WHEN grouping(surface) = 0 THEN 'surface'
            WHEN grouping(advertiser_id) = 0 THEN 'advertiser'
            ELSE 'all'
        END AS ENUM ('all', 'campaign', 'ad', 'creator', 'surface', 'advertiser')) AS dimension,
        coalesce(campaign_id, ad_id, creator_id, surface, advertiser_id) AS name,
        model,
        currency,
        grouping(currency) = 1 AS is_converted,
        any_value(user_number) AS user_number,
        any_value(odds_against) AS odds_against,
        sum(credit_micros) AS credit_micros,
        CASE WHEN grouping(currency) = 0 THEN sum(value_micros) ELSE sum(converted_micros) END AS value_micros,
        grouping(currency) = 1 AND count(converted_micros) < count(*) AS lacks_rate
    FROM earned
    GROUP BY GROUPING SETS (
        (model, candidate),
        (model, currency, candidate),
        (model, currency, candidate, campaign_id),
        (model, currency, candidate, ad_id),
        (model, currency, candidate, creator_id),
        (model, currency, candidate, surface),
        (model, currency, candidate, advertiser_id)
    )
),
users AS (
    -- squares are whole numbers, so that their sum hangs on no order
    SELECT
        dimension,
        name,
        model,
        currency,
        is_converted,
        user_number,
        sum(credit_micros) AS credit_micros,
        sum(value_micros) AS value_micros,
        bool_or(lacks_rate) AS lacks_rate,
        sum(CAST(round(power(credit_micros, 2) * coalesce(odds_against, 0)) AS HUGEINT)) AS credit_doubt,
        sum(CAST(round(power(value_micros, 2) * coalesce(odds_against, 0)) AS HUGEINT)) AS value_doubt
    FROM candidates
    GROUP BY ALL
),
sums AS (
    SELECT
        dimension,
        name,
        model,
        currency,
        is_converted,
        sum(credit_micros) / 1e6 AS credit,
        CASE WHEN NOT bool_or(lacks_rate) THEN sum(value_micros) / 1e6 END AS value,
        sqrt(sum(CAST(power(credit_micros, 2) AS HUGEINT) + credit_doubt)) / 1e6 AS credit_error,
        CASE
            WHEN NOT bool_or(lacks_rate)
                THEN sqrt(sum(CAST(power(value_micros, 2) AS HUGEINT) + value_doubt)) / 1e6
        END AS value_error,
        count(*) FILTER (WHERE credit_micros <> 0) AS users
    FROM users
    GROUP BY ALL
),
reaches AS (
    -- a sum is like a count of parts of the size error^2 / sum, and has the score interval of such a count;
    -- 1.6449 standard errors to either side hold 90%
    SELECT
        *,
        power(1.6448536269514722 * credit_error, 2) / CASE WHEN credit > 0 THEN credit END AS credit_reach,
        power(1.6448536269514722 * value_error, 2) / CASE WHEN value > 0 THEN value END AS value_reach
    FROM sums
    -- of one currency, all of it is all there is
    QUALIFY NOT is_converted
        OR count(*) FILTER (WHERE dimension = 'all' AND NOT is_converted) OVER (PARTITION BY model) > 1
),
limits AS (
    SELECT
        *,
        credit + credit_reach / 2 + sqrt(credit_reach * credit + power(credit_reach, 2) / 4) AS credit_high,
        value + value_reach / 2 + sqrt(value_reach * value + power(value_reach, 2) / 4) AS value_high
    FROM reaches
)
SELECT
    CAST(limits.dimension AS VARCHAR) AS dimension,
    CASE WHEN limits.is_converted THEN '(all currencies)' ELSE limits.name END AS name,
    limits.model,
    round(limits.credit, 6) AS credit,
    -- the product of both limits is the square of what they are of: rounding takes the lower not below 0
    round(power(limits.credit, 2) / limits.credit_high, 6) AS credit_low,
    round(limits.credit_high, 6) AS credit_high,
    CASE WHEN limits.is_converted THEN told.report_currency ELSE limits.currency END AS currency,
    round(limits.value, 6) AS value,
    round(power(limits.value, 2) / limits.value_high, 6) AS value_low,
    round(limits.value_high, 6) AS value_high,
    round(limits.credit_error, 6) AS credit_error,
    round(limits.value_error, 6) AS value_error,
    limits.users
FROM limits
CROSS JOIN told
ORDER BY limits.dimension, name, model, currency
