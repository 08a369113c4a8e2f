-- purpose: store the users of the signals at work
-- grain: one matched signal
-- reads: winners
-- parameters: $model_version
INSERT INTO matches BY NAME
SELECT
    day,
    signal_id,
    user_id,
    method,
    CAST(1 AS DOUBLE) AS match_probability,
    1 AS rank,
    $model_version AS model_version,
    true AS declared
FROM winners
WHERE NOT vetoed
ORDER BY day, signal_id
