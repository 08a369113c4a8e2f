-- purpose: what each campaign earned and cost on each day: credit, value, return on ad spend
-- grain: one day, campaign, model and currency; the day is that of the conversions
-- reads: campaign_days
-- parameters: none
SELECT day, campaign_id, model, currency, credit, value, cost, return_on_ad_spend
FROM campaign_days
ORDER BY day, campaign_id, model, currency
