-- purpose: what the ads of each advertiser earned under each model, and the credit that no touch earned
-- grain: one advertiser, currency of the conversions and model; retracted conversions do not count
-- reads: valued_credits
-- parameters: none
WITH parts AS (
    SELECT
        *,
        outcome = 'touch' AS earned
    FROM valued_credits
    WHERE status <> 'retracted'
)
SELECT
    advertiser_id,
    currency,
    model,
    round(coalesce(sum(credit_micros) FILTER (WHERE earned), 0) / 1e6, 6) AS credit,
    round(coalesce(sum(value_micros) FILTER (WHERE earned), 0) / 1e6, 6) AS value,
    CASE
        WHEN count(*) FILTER (WHERE earned) = count(converted_micros) FILTER (WHERE earned)
            AND any_value(report_currency) IS NOT NULL
            THEN round(coalesce(sum(converted_micros) FILTER (WHERE earned), 0) / 1e6, 6)
    END AS value_in_reports,
    any_value(report_currency) AS report_currency,
    count(DISTINCT conversion_id) FILTER (WHERE earned) AS conversions,
    round(coalesce(sum(credit_micros) FILTER (WHERE outcome = 'organic'), 0) / 1e6, 6) AS organic_credit,
    round(coalesce(sum(credit_micros) FILTER (WHERE outcome = 'unmatched'), 0) / 1e6, 6) AS unmatched_credit,
    round(coalesce(sum(credit_micros) FILTER (WHERE outcome = 'rejected'), 0) / 1e6, 6) AS rejected_credit
FROM parts
GROUP BY advertiser_id, currency, model
ORDER BY advertiser_id, currency, model
