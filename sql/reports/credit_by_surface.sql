-- purpose: what each surface of the platform earned under each model
-- grain: one surface (null: not told), currency of the conversions and model
-- reads: touch_credits
-- parameters: none
SELECT
    surface,
    currency,
    model,
    round(sum(credit_micros) / 1e6, 6) AS credit,
    round(sum(value_micros) / 1e6, 6) AS value,
    CASE WHEN count(*) = count(converted_micros) THEN round(sum(converted_micros) / 1e6, 6) END
        AS value_in_reports,
    any_value(report_currency) AS report_currency,
    count(DISTINCT conversion_id) AS conversions
FROM touch_credits
GROUP BY surface, currency, model
ORDER BY surface, currency, model
