-- purpose: what each model gave, to compare models: by outcome and, where a touch earned it, by campaign
-- grain: one model, outcome, campaign (null where no touch earned it) and currency of the conversions; retracted
--     conversions do not count
-- reads: valued_credits
-- parameters: none
SELECT
    model,
    outcome,
    campaign_id,
    currency,
    sum(credit_micros) / 1e6 AS credit,
    sum(value_micros) / 1e6 AS value,
    CASE WHEN count(*) = count(converted_micros) THEN sum(converted_micros) / 1e6 END AS value_in_reports
FROM valued_credits
WHERE status <> 'retracted'
GROUP BY model, outcome, campaign_id, currency
ORDER BY model, outcome, campaign_id, currency
