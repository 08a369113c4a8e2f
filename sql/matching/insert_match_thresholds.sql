-- purpose: store from which probability on the matches of one log day are declared
-- grain: one log day and advertiser
-- reads: limits
-- parameters: $day, $model_version
INSERT INTO match_thresholds BY NAME
SELECT
    $day AS day,
    advertiser_id,
    $model_version AS model_version,
    rule,
    target,
    threshold,
    held_out,
    expected_precision
FROM limits
ORDER BY advertiser_id
