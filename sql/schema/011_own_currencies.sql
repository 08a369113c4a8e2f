-- purpose: one rule for the currency of conversions without a value, in every report
-- grain: one statement a view; what it stands for is said above each

-- one campaign whose valued conversions are all of one currency, under whichever model
CREATE VIEW campaign_currencies AS
SELECT credits.campaign_id, min(conversions.currency) AS currency
FROM credits
JOIN conversions ON conversions.conversion_id = credits.conversion_id
WHERE credits.outcome = 'touch'
    AND conversions.status <> 'retracted'
    AND conversions.currency IS NOT NULL
GROUP BY credits.campaign_id
HAVING min(conversions.currency) = max(conversions.currency);

-- one advertiser of whom the same is true
CREATE VIEW advertiser_currencies AS
SELECT advertiser_id, min(currency) AS currency
FROM conversions
WHERE status <> 'retracted' AND currency IS NOT NULL
GROUP BY advertiser_id
HAVING min(currency) = max(currency);

-- one row of credits with what its conversion says. A conversion without a value has no currency either: what
-- a campaign earned of it counts with the campaign's own currency, all else with the advertiser's, if they have
-- one. converted_micros is the value in the currency of the reports: null where it has none, or where the
-- conversion's has no rate
CREATE OR REPLACE VIEW valued_credits AS
WITH told AS (
    SELECT max(value) FILTER (WHERE name = 'report_currency') AS report_currency
    FROM warehouse_settings
)
SELECT
    credits.conversion_id,
    credits.model,
    credits.outcome,
    credits.reason,
    credits.user_id,
    credits.touch_id,
    credits.campaign_id,
    credits.touch_time,
    credits.day,
    credits.credit_micros,
    credits.value_micros,
    conversions.advertiser_id,
    conversions.status,
    conversions.value IS NULL AS without_value,
    CASE
        WHEN conversions.currency IS NOT NULL OR conversions.value IS NOT NULL OR credits.value_micros <> 0
            THEN conversions.currency
        WHEN credits.outcome = 'touch' THEN campaign_currencies.currency
        ELSE advertiser_currencies.currency
    END AS currency,
    told.report_currency,
    CASE
        WHEN told.report_currency IS NULL THEN NULL
        WHEN credits.value_micros = 0 THEN 0
        ELSE CAST(round(credits.value_micros * daily_rates.rate) AS HUGEINT)
    END AS converted_micros
FROM credits
JOIN conversions ON conversions.conversion_id = credits.conversion_id
LEFT JOIN campaign_currencies ON campaign_currencies.campaign_id = credits.campaign_id
LEFT JOIN advertiser_currencies ON advertiser_currencies.advertiser_id = conversions.advertiser_id
LEFT JOIN daily_rates
    ON daily_rates.currency = conversions.currency AND daily_rates.date = conversions.day
CROSS JOIN told;
