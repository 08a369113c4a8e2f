-- purpose: store how a model did on signals of persons that were held out
-- grain: one signal
-- reads: held_out
-- parameters: $model_version
INSERT INTO held_out_signals BY NAME
SELECT
    $model_version AS model_version,
    day,
    advertiser_id,
    match_probability,
    expected,
    same,
    known
FROM held_out
