-- purpose: how sure the credit of each campaign is under each model: 90% intervals of a Poisson bootstrap over
--     users, worked out as in sql/reports/credit_intervals.sql
-- grain: one campaign and model, over all currencies; retracted conversions do not count
-- reads: valued_credits, conversion_users
-- parameters: none
WITH candidates AS (
    -- one candidate user of one conversion
    SELECT
        valued_credits.campaign_id,
        valued_credits.model,
        valued_credits.user_id,
        any_value(conversion_users.user_micros) AS user_micros,
        sum(valued_credits.credit_micros) AS credit_micros
    FROM valued_credits
    LEFT JOIN conversion_users
        ON conversion_users.conversion_id = valued_credits.conversion_id
        AND conversion_users.user_id = valued_credits.user_id
    WHERE valued_credits.outcome = 'touch' AND valued_credits.status <> 'retracted'
    GROUP BY
        valued_credits.campaign_id, valued_credits.model, valued_credits.user_id, valued_credits.conversion_id
),
users AS (
    -- squares are whole numbers, so that their sum hangs on no order
    SELECT
        campaign_id,
        model,
        user_id,
        sum(credit_micros) AS credit_micros,
        sum(CAST(
            round(power(credit_micros, 2) * coalesce((1000000 - user_micros) / nullif(user_micros, 0), 0))
            AS DECIMAL(38, 0)
        )) AS credit_doubt
    FROM candidates
    GROUP BY campaign_id, model, user_id
),
sums AS (
    SELECT
        campaign_id,
        model,
        sum(credit_micros) / 1e6 AS credit,
        sqrt(sum(CAST(power(credit_micros, 2) AS DECIMAL(38, 0)) + credit_doubt)) / 1e6 AS error
    FROM users
    GROUP BY campaign_id, model
),
reaches AS (
    SELECT
        *,
        power(1.6448536269514722 * error, 2) / CASE WHEN credit > 0 THEN credit END AS reach
    FROM sums
)
SELECT
    campaign_id,
    model,
    round(error, 6) AS error,
    round(credit + reach / 2 - sqrt(reach * credit + power(reach, 2) / 4), 6) AS low,
    round(credit + reach / 2 + sqrt(reach * credit + power(reach, 2) / 4), 6) AS high
FROM reaches
ORDER BY campaign_id, model
