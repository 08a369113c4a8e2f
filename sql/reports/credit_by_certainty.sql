-- purpose: how sure it is who made the conversions that credit and value come from, under each model
-- grain: one certainty, outcome, currency of the conversions and model; all of them together are the
--     conversions that are not retracted. certainty: the identifier that names the user, or of the users that
--     the matching model names the bin of their match probability, from at_least on; no user: nobody is named
-- reads: valued_credits, conversion_users
-- parameters: none
WITH bins AS (
    -- the lower edge counts, the upper does not
    SELECT unnest([
        {'first_micros': 0, 'end_micros': 500000, 'certainty': 'model < .5'},
        {'first_micros': 500000, 'end_micros': 800000, 'certainty': 'model .5-.8'},
        {'first_micros': 800000, 'end_micros': 950000, 'certainty': 'model .8-.95'},
        {'first_micros': 950000, 'end_micros': 1000001, 'certainty': 'model >= .95'}
    ], recursive := true)
),
users AS (
    SELECT
        conversion_users.conversion_id,
        conversion_users.user_id,
        coalesce(bins.first_micros / 1e6, 1) AS at_least,
        coalesce(bins.certainty, conversion_users.method) AS certainty
    FROM conversion_users
    LEFT JOIN bins
        ON conversion_users.method = 'model'
        AND conversion_users.user_micros >= bins.first_micros
        AND conversion_users.user_micros < bins.end_micros
),
parts AS (
    SELECT
        valued_credits.*,
        coalesce(users.certainty, 'no user') AS certainty,
        users.at_least
    FROM valued_credits
    LEFT JOIN users
        ON users.conversion_id = valued_credits.conversion_id AND users.user_id = valued_credits.user_id
    WHERE valued_credits.status <> 'retracted'
)
SELECT
    certainty,
    outcome,
    at_least,
    currency,
    model,
    round(sum(credit_micros) / 1e6, 6) AS credit,
    round(sum(value_micros) / 1e6, 6) AS value,
    CASE WHEN count(*) = count(converted_micros) THEN round(sum(converted_micros) / 1e6, 6) END
        AS value_in_reports,
    any_value(report_currency) AS report_currency,
    count(DISTINCT conversion_id) AS conversions
FROM parts
GROUP BY certainty, outcome, at_least, currency, model
ORDER BY at_least DESC NULLS LAST, certainty, outcome DESC, currency, model
