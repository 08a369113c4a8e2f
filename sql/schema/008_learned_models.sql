-- purpose: models of credit that are fitted on the logs, and which of them gave which credit
-- grain: one statement a column or table; what it stands for is said above each

-- one attempt to fit one model of credit on the log days up to one of them
CREATE TABLE credit_models (
    model VARCHAR NOT NULL,
    model_version VARCHAR,            -- made of the content; null where nothing could be fitted
    first_day DATE NOT NULL,          -- log days that it was fitted on
    last_day DATE NOT NULL,
    settings VARCHAR NOT NULL,        -- of [attribution.learned], those that the fit hangs on
    status VARCHAR NOT NULL,          -- accepted, refused
    reason VARCHAR,                   -- why it was refused
    histories BIGINT NOT NULL,        -- users at advertisers that it was fitted on
    conversions DOUBLE NOT NULL,      -- expected conversions of known users among them
    log_loss DOUBLE,                  -- this and the next two of the newest day, given what was seen before it;
                                      -- null where the model tells no probabilities, or there is one day only
    constant_log_loss DOUBLE,         -- of one rate for all
    calibration_ratio DOUBLE,         -- conversions expected over those that came
    moved DOUBLE,                     -- share of credit that it gives to other campaigns than the model before
    run_id VARCHAR NOT NULL,
    adscribe_version VARCHAR NOT NULL,
    body VARCHAR                      -- the model as JSON; null where it was refused
);

-- of a model that is fitted: which one gave the credit
ALTER TABLE credits ADD COLUMN model_version VARCHAR;
