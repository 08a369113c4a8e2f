-- purpose: what user agents say of the device, and matches by a model
-- grain: one statement a column or table; what it stands for is said above each

-- operating system, model and browser of the user agent, which outlive the client's version
ALTER TABLE activity ADD COLUMN device_key VARCHAR;

ALTER TABLE activity ADD COLUMN os VARCHAR;

ALTER TABLE activity ADD COLUMN browser_major INTEGER;

ALTER TABLE activity ADD COLUMN is_bot BOOLEAN;

ALTER TABLE signals ADD COLUMN device_key VARCHAR;

ALTER TABLE signals ADD COLUMN os VARCHAR;

ALTER TABLE signals ADD COLUMN browser_major INTEGER;

ALTER TABLE signals ADD COLUMN is_bot BOOLEAN;

-- whether a match is good enough to be acted upon: the first of its signal, at the threshold or above
ALTER TABLE matches ADD COLUMN declared BOOLEAN;

UPDATE matches SET declared = true;

-- one model of pairs that was trained; its trees are in a folder of this name beside the warehouse
CREATE TABLE pair_models (
    model_version VARCHAR NOT NULL,
    trained_by VARCHAR NOT NULL,      -- the command: run or match, which follow a schedule; or train
    settings VARCHAR NOT NULL,        -- of [model], those that its features and days hang on
    last_day DATE NOT NULL,           -- log days that it was trained on
    first_day DATE NOT NULL,
    signals BIGINT NOT NULL,          -- with an e-mail or phone, that it was trained on
    pairs BIGINT NOT NULL,
    named BIGINT NOT NULL,            -- signals of which a candidate showed the same contact
    average_precision DOUBLE NOT NULL, -- these and the next of signals of persons that were held out
    log_loss DOUBLE NOT NULL,
    calibration_ratio DOUBLE NOT NULL,
    outsiders DOUBLE NOT NULL,        -- estimated share of signals that are of no user
    adscribe_version VARCHAR NOT NULL
);

-- one signal that a model was trained on, as judged by trees that were grown without its person
CREATE TABLE held_out_signals (
    model_version VARCHAR NOT NULL,
    day DATE NOT NULL,
    advertiser_id VARCHAR NOT NULL,
    match_probability DOUBLE NOT NULL, -- of its best candidate; 0 without one
    expected DOUBLE NOT NULL,         -- that the best candidate shows the same contact, by the model
    same BOOLEAN NOT NULL,            -- whether he does
    known BOOLEAN NOT NULL            -- whether any user shows the same contact
);

-- from which probability on the best candidates of one log day and advertiser are declared matches
CREATE TABLE match_thresholds (
    day DATE NOT NULL,
    advertiser_id VARCHAR NOT NULL,
    model_version VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,            -- probability, precision
    target DOUBLE NOT NULL,           -- of that rule
    threshold DOUBLE NOT NULL,
    held_out BIGINT NOT NULL,         -- held-out signals that the threshold rests on
    expected_precision DOUBLE         -- of those at the threshold or above; null where there is none
);

-- how one kind of key found candidates for the signals of one log day
CREATE TABLE blocking_days (
    day DATE NOT NULL,
    kind VARCHAR NOT NULL,            -- of token, or band
    keys BIGINT NOT NULL,             -- (signal, key) whose key some user has
    keys_used BIGINT NOT NULL,
    keys_dropped BIGINT NOT NULL,     -- too many users, beside what rarer keys of the signal brought
    users_dropped BIGINT NOT NULL     -- users of the dropped keys, each as often as it was dropped
);
