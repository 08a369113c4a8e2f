-- purpose: store the candidates that a model kept
-- grain: one (signal_id, user_id)
-- reads: selected
-- parameters: $model_version
INSERT INTO matches BY NAME
SELECT
    day,
    signal_id,
    user_id,
    'model' AS method,
    match_probability,
    rank,
    $model_version AS model_version,
    declared
FROM selected
ORDER BY day, signal_id, rank
