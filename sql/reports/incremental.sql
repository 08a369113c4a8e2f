-- purpose: how many conversions each campaign caused on the log days that the newest model incremental was
--     fitted on, of users known by an identifier other than a click id, with 90% intervals; basis: holdout, or
--     none (no ads withheld: a weaker estimate)
-- grain: one campaign; no row where no such model was accepted yet
-- reads: credit_models
-- parameters: none
WITH newest AS (
    SELECT model_version, first_day, last_day, body
    FROM credit_models
    WHERE model = 'incremental' AND status = 'accepted' AND body IS NOT NULL
    ORDER BY last_day DESC, model_version
    LIMIT 1
),
told AS (
    SELECT
        unnest(CAST(json_extract(body, '$.channels') AS VARCHAR[])) AS campaign_id,
        unnest(CAST(json_extract(body, '$.incremental') AS DOUBLE[])) AS incremental,
        unnest(CAST(json_extract(body, '$.standard_error') AS DOUBLE[])) AS standard_error,
        json_extract_string(body, '$.basis') AS basis,
        first_day,
        last_day,
        model_version
    FROM newest
)
SELECT
    campaign_id,
    round(incremental, 2) AS incremental,
    -- Student's t for the 20 draws of the bootstrap (attribution/learned/caused.py); draws that are all alike,
    -- such as of nothing caused, tell no limits
    CASE WHEN standard_error > 0 THEN round(greatest(incremental - 1.729133 * standard_error, 0), 2) END
        AS low_90,
    CASE WHEN standard_error > 0 THEN round(incremental + 1.729133 * standard_error, 2) END AS high_90,
    round(standard_error, 2) AS standard_error,
    basis,
    first_day,
    last_day,
    model_version
FROM told
ORDER BY campaign_id
