-- purpose: list a model that was trained
-- grain: one model
-- reads: trained
-- parameters: none
INSERT INTO pair_models BY NAME
SELECT
    model_version,
    trained_by,
    settings,
    first_day,
    last_day,
    signals,
    pairs,
    named,
    average_precision,
    log_loss,
    calibration_ratio,
    outsiders,
    adscribe_version
FROM trained
