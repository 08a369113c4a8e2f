-- purpose: how sure the credit and value of each campaign, ad, creator, surface and advertiser are, under each
--     model: 90% intervals of a Poisson bootstrap over users, as infinitely many replicates would give them
-- grain: one dimension, name (null: not told; of the dimension all, everything together), currency of the
--     conversions and model; retracted conversions do not count. A replicate adds up (w p + B - p) c over users
--     and conversions: w how often the user is drawn (Poisson, mean and variance 1), B whether he is the one
--     matched (probability p), c what he earned if so; x = p c is stored. The draws are independent and stand
--     side by side, so that the variance is the sum over users of (sum of x)^2 + sum of x^2 (1 - p) / p
-- reads: valued_credits, path_touches, conversion_users
-- parameters: none
WITH known AS (
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
        valued_credits.value_micros
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
        any_value(user_number) AS user_number,
        any_value(odds_against) AS odds_against,
        sum(credit_micros) AS credit_micros,
        sum(value_micros) AS value_micros
    FROM earned
    GROUP BY GROUPING SETS (
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
        user_number,
        sum(credit_micros) AS credit_micros,
        sum(value_micros) AS value_micros,
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
        sum(credit_micros) / 1e6 AS credit,
        sum(value_micros) / 1e6 AS value,
        sqrt(sum(CAST(power(credit_micros, 2) AS HUGEINT) + credit_doubt)) / 1e6 AS credit_error,
        sqrt(sum(CAST(power(value_micros, 2) AS HUGEINT) + value_doubt)) / 1e6 AS value_error,
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
)
SELECT
    CAST(reaches.dimension AS VARCHAR) AS dimension,
    name,
    model,
    round(credit, 6) AS credit,
    round(credit + credit_reach / 2 - sqrt(credit_reach * credit + power(credit_reach, 2) / 4), 6) AS credit_low,
    round(credit + credit_reach / 2 + sqrt(credit_reach * credit + power(credit_reach, 2) / 4), 6) AS credit_high,
    currency,
    round(value, 6) AS value,
    round(value + value_reach / 2 - sqrt(value_reach * value + power(value_reach, 2) / 4), 6) AS value_low,
    round(value + value_reach / 2 + sqrt(value_reach * value + power(value_reach, 2) / 4), 6) AS value_high,
    round(credit_error, 6) AS credit_error,
    round(value_error, 6) AS value_error,
    users
FROM reaches
ORDER BY reaches.dimension, name, model, currency
