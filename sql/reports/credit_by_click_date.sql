-- purpose: what the touches of each day earned, whenever the conversions came: the click date view
-- grain: one date of the touch, campaign, currency of the conversions and model; retracted conversions do not
--     count
-- reads: valued_credits
-- parameters: none
SELECT
    CAST(touch_time AS DATE) AS touch_date,
    campaign_id,
    currency,
    model,
    round(sum(credit_micros) / 1e6, 6) AS credit,
    round(sum(value_micros) / 1e6, 6) AS value,
    CASE WHEN count(*) = count(converted_micros) THEN round(sum(converted_micros) / 1e6, 6) END
        AS value_in_reports,
    any_value(report_currency) AS report_currency,
    count(DISTINCT conversion_id) AS conversions
FROM valued_credits
WHERE outcome = 'touch' AND status <> 'retracted'
GROUP BY touch_date, campaign_id, currency, model
ORDER BY touch_date, campaign_id, currency, model
