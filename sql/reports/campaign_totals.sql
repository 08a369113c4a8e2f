-- purpose: what each campaign earned and cost over all days: credit, value, return on ad spend; the value
--     in the currency of the reports too, where one is named
-- grain: one campaign, model and currency
-- reads: campaign_money, warehouse_settings
-- parameters: none
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
),
sums AS (
    SELECT
        campaign_id,
        model,
        nullif(currency, '') AS currency,
        sum(credit_micros) / 1e6 AS credit,
        sum(value_micros) / 1e6 AS value,
        CASE WHEN sum(unconverted) = 0 THEN sum(converted_micros) / 1e6 END AS converted,
        sum(cost) AS cost
    FROM campaign_money
    WHERE cost IS NOT NULL OR credit_micros <> 0 OR value_micros <> 0
    GROUP BY campaign_id, model, currency
)
SELECT
    sums.campaign_id,
    sums.model,
    sums.currency,
    round(sums.credit, 6) AS credit,
    round(sums.value, 6) AS value,
    CASE WHEN told.report_currency IS NOT NULL THEN round(sums.converted, 6) END AS value_in_reports,
    told.report_currency,
    round(sums.cost, 6) AS cost,
    CASE WHEN sums.cost > 0 THEN round(sums.value / sums.cost, 2) END AS return_on_ad_spend
FROM sums
CROSS JOIN told
ORDER BY campaign_id, model, currency
