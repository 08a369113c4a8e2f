-- purpose: what all campaigns together earned for what they cost, under each model: the total of
--     return_on_ad_spend, by the costs as told by now
-- grain: one model in the currency of the reports where one is named (report_currency), everything converted
--     to it; else one currency of its own (null: none named) and model. A figure is null where a rate is
--     missing
-- reads: campaign_money, warehouse_settings
-- parameters: none
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
),
parts AS (
    SELECT
        campaign_money.campaign_id,
        campaign_money.model,
        told.report_currency,
        coalesce(told.report_currency, nullif(campaign_money.currency, '')) AS currency,
        campaign_money.credit_micros,
        CASE WHEN told.report_currency IS NULL THEN campaign_money.value_micros ELSE campaign_money.converted_micros END
            AS value_micros,
        CASE WHEN told.report_currency IS NULL THEN campaign_money.cost ELSE campaign_money.converted_cost END
            AS cost,
        told.report_currency IS NOT NULL AND campaign_money.unconverted > 0 AS value_without_rate,
        told.report_currency IS NOT NULL AND campaign_money.cost <> 0 AND campaign_money.converted_cost IS NULL
            AS cost_without_rate
    FROM campaign_money
    CROSS JOIN told
    WHERE campaign_money.cost IS NOT NULL OR campaign_money.credit_micros <> 0 OR campaign_money.value_micros <> 0
),
sums AS (
    SELECT
        model,
        currency,
        report_currency,
        count(DISTINCT campaign_id) AS campaigns,
        sum(credit_micros) / 1e6 AS credit,
        CASE WHEN NOT bool_or(value_without_rate) THEN sum(value_micros) / 1e6 END AS value,
        CASE WHEN NOT bool_or(coalesce(cost_without_rate, false)) THEN sum(cost) END AS cost
    FROM parts
    GROUP BY model, currency, report_currency
)
SELECT
    model,
    currency,
    campaigns,
    round(credit, 6) AS credit,
    round(value, 6) AS value,
    round(cost, 6) AS cost,
    CASE WHEN cost > 0 THEN round(value / cost, 4) END AS return_on_ad_spend,
    report_currency
FROM sums
ORDER BY model, currency
