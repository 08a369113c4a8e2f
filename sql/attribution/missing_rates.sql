-- purpose: the currencies of conversions and costs that cannot be told in the currency of the reports
-- grain: one table and currency, the first date at which a rate is missing, and how many rows need one
-- reads: conversions, costs, currency_rates
-- parameters: $currency, $oldest_rate_days
WITH needed AS (
    SELECT 'conversions' AS table_name, currency, day AS date, count(*) AS row_count
    FROM conversions
    WHERE value <> 0 AND currency <> $currency
    GROUP BY currency, day
    UNION ALL
    SELECT 'costs' AS table_name, currency, date, count(*) AS row_count
    FROM costs
    WHERE cost <> 0 AND currency <> $currency
    GROUP BY currency, date
),
dated AS (
    SELECT table_name, currency, date, row_count, CAST(NULL AS DATE) AS rate_date
    FROM needed
    UNION ALL
    SELECT CAST(NULL AS VARCHAR) AS table_name, currency, date, CAST(0 AS BIGINT) AS row_count, date AS rate_date
    FROM currency_rates
),
served AS (
    -- the rows of one date are peers: a rate of that very date is seen as well
    SELECT
        table_name,
        currency,
        date,
        row_count,
        max(rate_date) OVER (PARTITION BY currency ORDER BY date) AS rate_date
    FROM dated
)
SELECT table_name, currency, min(date) AS first_date, CAST(sum(row_count) AS BIGINT) AS row_count
FROM served
WHERE table_name IS NOT NULL
    AND (rate_date IS NULL OR date_diff('day', rate_date, date) > $oldest_rate_days)
GROUP BY table_name, currency
ORDER BY table_name, first_date, currency
