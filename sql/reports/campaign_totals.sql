-- purpose: what each campaign earned and cost over all days: credit, value, return on ad spend
-- grain: one campaign, model and currency
-- reads: campaign_days
-- parameters: none
SELECT
    campaign_id,
    model,
    currency,
    sum(credit) AS credit,
    round(sum(value), 6) AS value,
    round(sum(cost), 6) AS cost,
    CASE WHEN sum(cost) > 0 THEN round(sum(value) / sum(cost), 2) END AS return_on_ad_spend
FROM campaign_days
GROUP BY campaign_id, model, currency
ORDER BY campaign_id, model, currency
