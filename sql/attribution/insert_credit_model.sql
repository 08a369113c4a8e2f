-- purpose: keep an attempt to fit a model of credit
-- grain: one attempt
-- reads: attempt
-- parameters: none
INSERT INTO credit_models BY NAME
SELECT
    model,
    model_version,
    first_day,
    last_day,
    settings,
    status,
    reason,
    histories,
    conversions,
    log_loss,
    constant_log_loss,
    calibration_ratio,
    moved,
    run_id,
    adscribe_version,
    body
FROM attempt
