-- purpose: what each campaign earned and cost on each day: credit, value, return on ad spend
-- grain: one day, campaign, model and currency; the day is that of the conversions
-- reads: credits, conversions, costs, touchpoints
-- parameters: none
WITH models AS (
    SELECT DISTINCT model FROM credits
),
billed AS (
    -- a campaign's cost of a date may be told again on a later log day: the newest counts
    SELECT date AS day, campaign_id, coalesce(currency, '') AS currency, cost
    FROM costs
    QUALIFY row_number() OVER (PARTITION BY date, campaign_id ORDER BY costs.day DESC) = 1
),
touch_costs AS (
    SELECT
        CAST(event_time AS DATE) AS day,
        campaign_id,
        coalesce(currency, '') AS currency,
        sum(cost) AS cost
    FROM (SELECT DISTINCT touch_id, event_time, campaign_id, currency, cost FROM touchpoints)
    WHERE cost IS NOT NULL
    GROUP BY ALL
),
spent AS (
    SELECT day, campaign_id, currency, cost FROM billed
    UNION ALL
    SELECT touch_costs.day, touch_costs.campaign_id, touch_costs.currency, touch_costs.cost
    FROM touch_costs
    ANTI JOIN billed
        ON billed.day = touch_costs.day AND billed.campaign_id = touch_costs.campaign_id
),
own_currency AS (
    SELECT campaign_id, min(currency) AS currency
    FROM spent
    GROUP BY campaign_id
    HAVING count(DISTINCT currency) = 1
),
earned AS (
    -- a conversion without a value has no currency either: it counts with the campaign's own
    SELECT
        credits.day,
        credits.campaign_id,
        credits.model,
        coalesce(conversions.currency, own_currency.currency, '') AS currency,
        sum(credits.credit_micros) AS credit_micros,
        sum(credits.value_micros) AS value_micros
    FROM credits
    JOIN conversions ON conversions.conversion_id = credits.conversion_id
    LEFT JOIN own_currency ON own_currency.campaign_id = credits.campaign_id
    WHERE credits.outcome = 'touch' AND conversions.status <> 'retracted'
    GROUP BY ALL
),
spent_by_model AS (
    SELECT spent.day, spent.campaign_id, models.model, spent.currency, spent.cost
    FROM spent
    LEFT JOIN models ON true
)
SELECT
    day,
    campaign_id,
    model,
    nullif(currency, '') AS currency,
    round(coalesce(credit_micros, 0) / 1e6, 6) AS credit,
    round(coalesce(value_micros, 0) / 1e6, 6) AS value,
    round(cost, 6) AS cost,
    CASE WHEN cost > 0 THEN round(coalesce(value_micros, 0) / 1e6 / cost, 4) END AS return_on_ad_spend
FROM earned
FULL JOIN spent_by_model USING (day, campaign_id, model, currency)
ORDER BY day, campaign_id, model, currency
