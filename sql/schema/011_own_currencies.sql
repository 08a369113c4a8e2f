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

-- one row of credits with what its conversion says, its currency as the conversion has it
ALTER VIEW valued_credits RENAME TO told_credits;

-- the same. A conversion without a value has no currency: what a campaign earned of it counts with the
-- campaign's own currency, all else with the advertiser's, if they have one
CREATE VIEW valued_credits AS
SELECT
    told_credits.* REPLACE (
        CASE
            WHEN told_credits.currency IS NOT NULL
                OR NOT told_credits.without_value
                OR told_credits.value_micros <> 0
                THEN told_credits.currency
            WHEN told_credits.outcome = 'touch' THEN campaign_currencies.currency
            ELSE advertiser_currencies.currency
        END AS currency
    )
FROM told_credits
LEFT JOIN campaign_currencies ON campaign_currencies.campaign_id = told_credits.campaign_id
LEFT JOIN advertiser_currencies ON advertiser_currencies.advertiser_id = told_credits.advertiser_id;
