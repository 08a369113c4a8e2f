-- purpose: what the reports of credit read: rates by date, credit with its conversion, paths, costs
-- grain: one statement a view; what a row stands for is said above each

-- one currency on one date, and what one unit of it is in the currency of the reports: the newest rate
-- of that date or before, unless it is too old. No row where no currency of the reports was named
CREATE VIEW daily_rates AS
WITH told AS (
    SELECT
        max(value) FILTER (WHERE name = 'report_currency') AS report_currency,
        max(TRY_CAST(value AS INTEGER)) FILTER (WHERE name = 'oldest_rate_days') AS oldest_rate_days
    FROM warehouse_settings
),
spans AS (
    SELECT
        currency_rates.currency,
        currency_rates.rate,
        currency_rates.date AS first_date,
        least(
            currency_rates.date + told.oldest_rate_days,
            lead(currency_rates.date) OVER (
                PARTITION BY currency_rates.currency
                ORDER BY currency_rates.date
            ) - 1
        ) AS last_date
    FROM currency_rates
    JOIN told ON currency_rates.currency <> told.report_currency
    UNION ALL
    SELECT report_currency, 1, DATE '2000-01-01', DATE '2099-12-31'
    FROM told
    WHERE report_currency IS NOT NULL
)
SELECT
    currency,
    CAST(unnest(generate_series(
        CAST(first_date AS TIMESTAMP), CAST(last_date AS TIMESTAMP), INTERVAL 1 DAY
    )) AS DATE) AS date,
    rate
FROM spans;

-- one row of credits with what its conversion says. converted_micros is the value in the currency of
-- the reports: null where it has none, or where the conversion's has no rate
CREATE VIEW valued_credits AS
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
)
SELECT
    credits.conversion_id,
    credits.model,
    credits.outcome,
    credits.reason,
    credits.user_id,
    credits.touch_id,
    credits.campaign_id,
    credits.touch_time,
    credits.day,
    credits.credit_micros,
    credits.value_micros,
    conversions.advertiser_id,
    conversions.status,
    conversions.value IS NULL AS without_value,
    conversions.currency,
    told.report_currency,
    CASE
        WHEN told.report_currency IS NULL THEN NULL
        WHEN credits.value_micros = 0 THEN 0
        ELSE CAST(round(credits.value_micros * daily_rates.rate) AS HUGEINT)
    END AS converted_micros
FROM credits
JOIN conversions ON conversions.conversion_id = credits.conversion_id
LEFT JOIN daily_rates
    ON daily_rates.currency = conversions.currency AND daily_rates.date = conversions.day
CROSS JOIN told;

-- one touch that earned a part of a conversion, with the ad that it showed. Retracted conversions do
-- not count
CREATE VIEW touch_credits AS
SELECT
    valued_credits.conversion_id,
    valued_credits.model,
    valued_credits.campaign_id,
    path_touches.ad_id,
    path_touches.surface,
    path_touches.creator_id,
    valued_credits.currency,
    valued_credits.report_currency,
    valued_credits.credit_micros,
    valued_credits.value_micros,
    valued_credits.converted_micros
FROM valued_credits
LEFT JOIN path_touches
    ON path_touches.conversion_id = valued_credits.conversion_id
    AND path_touches.touch_id = valued_credits.touch_id
    AND path_touches.user_id = valued_credits.user_id
WHERE valued_credits.outcome = 'touch' AND valued_credits.status <> 'retracted';

-- one conversion whose user is known: the likeliest. Retracted conversions do not count
CREATE VIEW best_users AS
SELECT
    conversion_users.conversion_id,
    conversion_users.user_id,
    conversions.advertiser_id,
    conversions.event_time
FROM conversion_users
JOIN conversions ON conversions.conversion_id = conversion_users.conversion_id
WHERE conversion_users.best AND conversions.status <> 'retracted';

-- one touch that may earn, of the likeliest user of one conversion
CREATE VIEW best_path_touches AS
SELECT
    best_users.conversion_id,
    best_users.user_id,
    best_users.advertiser_id,
    best_users.event_time,
    path_touches.touch_id,
    path_touches.touch_time,
    path_touches.campaign_id
FROM best_users
JOIN path_touches
    ON path_touches.conversion_id = best_users.conversion_id
    AND path_touches.user_id = best_users.user_id
WHERE path_touches.reason IS NULL;

-- one touch, also where it was sent again on later log days
CREATE VIEW single_touchpoints AS
WITH late AS (
    -- a log day holds an id once: of two copies at the same time, one at least came on another day
    SELECT touch_id, event_time, user_id, kind, campaign_id, cost, currency, arm
    FROM touchpoints
    WHERE CAST(event_time AS DATE) <> day
    QUALIFY row_number() OVER (PARTITION BY touch_id, event_time ORDER BY day) = 1
)
SELECT touch_id, event_time, user_id, kind, campaign_id, cost, currency, arm
FROM touchpoints
WHERE CAST(event_time AS DATE) = day
UNION ALL
SELECT late.touch_id, late.event_time, late.user_id, late.kind, late.campaign_id, late.cost, late.currency, late.arm
FROM late
ANTI JOIN touchpoints
    ON touchpoints.touch_id = late.touch_id
    AND touchpoints.event_time = late.event_time
    AND touchpoints.day = CAST(late.event_time AS DATE);

-- what one campaign cost on one date in one currency, as first told and as told on the newest log day:
-- as billed, else as its touches cost. The currency is empty where none was named
CREATE VIEW campaign_costs AS
WITH bills AS (
    SELECT
        date,
        campaign_id,
        coalesce(currency, '') AS currency,
        cost,
        row_number() OVER (PARTITION BY date, campaign_id ORDER BY day) AS place,
        row_number() OVER (PARTITION BY date, campaign_id ORDER BY day DESC) AS place_from_last
    FROM costs
),
touched AS (
    SELECT
        CAST(event_time AS DATE) AS date,
        campaign_id,
        coalesce(currency, '') AS currency,
        sum(cost) AS cost
    FROM single_touchpoints
    WHERE cost IS NOT NULL
    GROUP BY ALL
),
told AS (
    SELECT date, campaign_id, currency, cost AS first_cost, NULL AS cost
    FROM bills
    WHERE place = 1
    UNION ALL
    SELECT date, campaign_id, currency, NULL, cost
    FROM bills
    WHERE place_from_last = 1
    UNION ALL
    SELECT touched.date, touched.campaign_id, touched.currency, touched.cost, touched.cost
    FROM touched
    ANTI JOIN bills ON bills.date = touched.date AND bills.campaign_id = touched.campaign_id
)
SELECT date, campaign_id, currency, sum(first_cost) AS first_cost, sum(cost) AS cost
FROM told
GROUP BY date, campaign_id, currency;

-- one campaign, date, model and currency (empty: none named) in micros and unrounded costs. Retracted
-- conversions do not count; the date is that of the conversions, and of the cost
CREATE VIEW campaign_money AS
WITH models AS (
    SELECT DISTINCT model FROM credits
),
own_currency AS (
    SELECT campaign_id, min(currency) AS currency
    FROM campaign_costs
    GROUP BY campaign_id
    HAVING count(DISTINCT currency) = 1
),
earned AS (
    SELECT
        day,
        campaign_id,
        model,
        currency,
        without_value,
        sum(credit_micros) AS credit_micros,
        sum(value_micros) AS value_micros,
        sum(converted_micros) AS converted_micros,
        count(*) - count(converted_micros) AS unconverted
    FROM valued_credits
    WHERE outcome = 'touch' AND status <> 'retracted'
    GROUP BY day, campaign_id, model, currency, without_value
),
placed AS (
    -- a conversion without a value has no currency either: it counts with the campaign's own
    SELECT
        earned.day,
        earned.campaign_id,
        earned.model,
        coalesce(
            earned.currency, CASE WHEN earned.without_value THEN own_currency.currency END, ''
        ) AS currency,
        sum(earned.credit_micros) AS credit_micros,
        sum(earned.value_micros) AS value_micros,
        sum(earned.converted_micros) AS converted_micros,
        sum(earned.unconverted) AS unconverted
    FROM earned
    LEFT JOIN own_currency ON own_currency.campaign_id = earned.campaign_id
    GROUP BY ALL
),
spent AS (
    SELECT
        campaign_costs.date AS day,
        campaign_costs.campaign_id,
        models.model,
        campaign_costs.currency,
        campaign_costs.first_cost,
        campaign_costs.cost,
        campaign_costs.cost * daily_rates.rate AS converted_cost
    FROM campaign_costs
    LEFT JOIN models ON true
    LEFT JOIN daily_rates
        ON daily_rates.currency = campaign_costs.currency
        AND daily_rates.date = campaign_costs.date
)
SELECT
    day,
    campaign_id,
    model,
    currency,
    coalesce(credit_micros, 0) AS credit_micros,
    coalesce(value_micros, 0) AS value_micros,
    coalesce(converted_micros, 0) AS converted_micros,
    coalesce(unconverted, 0) AS unconverted,
    first_cost,
    cost,
    converted_cost
FROM placed
FULL JOIN spent USING (day, campaign_id, model, currency);

-- one campaign, date, model and currency: credit, value and cost. Retracted conversions do not count;
-- the date is that of the conversions, and of the cost
CREATE OR REPLACE VIEW campaign_days AS
SELECT
    day,
    campaign_id,
    model,
    nullif(currency, '') AS currency,
    round(credit_micros / 1e6, 6) AS credit,
    round(value_micros / 1e6, 6) AS value,
    round(cost, 6) AS cost,
    CASE WHEN cost > 0 THEN round(value_micros / 1e6 / cost, 2) END AS return_on_ad_spend
FROM campaign_money
WHERE cost IS NOT NULL OR credit_micros <> 0 OR value_micros <> 0;
