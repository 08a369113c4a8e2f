-- purpose: what each campaign earned for what it cost: by the costs as first told, and as told by now
-- grain: one campaign, currency and model. The last three columns: all currencies of the campaign in
--     that of the reports, the same in each of its rows; null where a rate is missing or none was named
-- reads: campaign_money, warehouse_settings
-- parameters: none
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
),
sums AS (
    SELECT
        campaign_id,
        currency,
        model,
        sum(credit_micros) AS credit_micros,
        sum(value_micros) AS value_micros,
        sum(converted_micros) AS converted_micros,
        sum(unconverted) AS unconverted,
        sum(first_cost) AS first_cost,
        sum(cost) AS cost,
        sum(converted_cost) AS converted_cost,
        count(*) FILTER (WHERE cost <> 0 AND converted_cost IS NULL) AS costs_without_rate
    FROM campaign_money
    GROUP BY campaign_id, currency, model
),
wholes AS (
    SELECT
        sums.*,
        told.report_currency,
        CASE
            WHEN told.report_currency IS NOT NULL AND sum(sums.unconverted) OVER whole = 0
                THEN sum(sums.converted_micros) OVER whole / 1e6
        END AS value_in_reports,
        CASE
            WHEN sum(sums.costs_without_rate) OVER whole = 0
                THEN sum(sums.converted_cost) OVER whole
        END AS cost_in_reports
    FROM sums
    CROSS JOIN told
    WINDOW whole AS (PARTITION BY sums.campaign_id, sums.model)
)
SELECT
    campaign_id,
    nullif(currency, '') AS currency,
    model,
    round(credit_micros / 1e6, 6) AS credit,
    round(value_micros / 1e6, 6) AS value,
    round(first_cost, 6) AS cost_first_told,
    round(cost, 6) AS cost,
    CASE WHEN first_cost > 0 THEN round(value_micros / 1e6 / first_cost, 4) END AS return_first_told,
    CASE WHEN cost > 0 THEN round(value_micros / 1e6 / cost, 4) END AS return_on_ad_spend,
    report_currency,
    round(value_in_reports, 6) AS value_in_reports,
    round(cost_in_reports, 6) AS cost_in_reports,
    CASE WHEN cost_in_reports > 0 THEN round(value_in_reports / cost_in_reports, 4) END AS return_in_reports
FROM wholes
ORDER BY campaign_id, currency, model
