-- purpose: attribution over every candidate user: whose conversions, paths, invalid traffic, holdouts
-- grain: one statement a column or table; what it stands for is said above each

-- one user who may have made one conversion: the candidates of the signal that says most
CREATE TABLE conversion_users (
    conversion_id VARCHAR NOT NULL,
    day DATE NOT NULL,                -- date of the conversion
    user_id VARCHAR NOT NULL,
    signal_id VARCHAR NOT NULL,       -- the signal that names him
    method VARCHAR NOT NULL,
    user_micros BIGINT NOT NULL,      -- his part of the conversion: the match probability in millionths
    best BOOLEAN NOT NULL             -- the likeliest of the conversion, and declared a match
);

-- paths are of conversions and users; the stages before this one knew one user a conversion
ALTER TABLE path_touches ADD COLUMN named BOOLEAN;       -- the click that a signal's click_id names

ALTER TABLE path_touches ADD COLUMN strength INTEGER;    -- 1: the strongest kind of touch

ALTER TABLE path_touches ADD COLUMN reason VARCHAR;      -- why it may not earn; null: it may

ALTER TABLE credits ADD COLUMN reason VARCHAR;           -- of rejected credit, and of a reinstall

-- what made a run look at the conversion again
ALTER TABLE restatements ADD COLUMN cause VARCHAR;       -- signals, matches, adjustment, touches, traffic, installs, rates, rules, models

ALTER TABLE restatements ADD COLUMN day DATE;            -- date of the conversion

-- one touch that no person made
CREATE TABLE invalid_touches (
    day DATE NOT NULL,                -- log day of the touch
    touch_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL           -- click_flooding
);

-- one user who is no person
CREATE TABLE invalid_users (
    user_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL           -- bot, data_centre
);

-- one thing that one conversion of a user known without clicks tells of the causes of conversions
CREATE TABLE holdout_conversions (
    conversion_id VARCHAR NOT NULL,
    day DATE NOT NULL,                -- date of the conversion
    user_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,            -- touched: its last touch; ghost: the last touch an ad withheld would
                                      -- have been; treatment, control: an opportunity of a campaign before it
    campaign_id VARCHAR NOT NULL,
    kind VARCHAR,                     -- of touched and ghost, as path
    recency INTEGER,                  -- bin of the time from the touch or the latest opportunity, 1 the shortest
    path VARCHAR,                     -- alone: no other campaign in the path; shared
    touch_day DATE                    -- of treatment and control: log day of the latest such opportunity
);

-- how often one campaign was shown, and to how many users, on one log day
CREATE TABLE holdout_days (
    day DATE NOT NULL,
    campaign_id VARCHAR NOT NULL,
    advertiser_id VARCHAR NOT NULL,
    treated_users BIGINT NOT NULL,
    control_users BIGINT NOT NULL,
    impressions BIGINT NOT NULL,      -- these and the next without ads withheld and flooded clicks
    engaged_views BIGINT NOT NULL,
    clicks BIGINT NOT NULL
);

-- one probability that the last touch caused the conversion
CREATE TABLE touch_rates (
    week DATE NOT NULL,               -- the Monday of the week of conversions that it holds for
    campaign_id VARCHAR NOT NULL,     -- empty: every campaign without rows of its own
    kind VARCHAR NOT NULL,
    recency INTEGER NOT NULL,
    path VARCHAR NOT NULL,
    permille INTEGER NOT NULL,
    basis VARCHAR NOT NULL            -- what it was estimated from: holdout, pooled, recency
);

-- one set of rules that conversions were credited under
CREATE TABLE attribution_rules (
    rules_version VARCHAR NOT NULL,
    settings VARCHAR NOT NULL,        -- of [attribution], the preset's filled in, as JSON
    first_run_id VARCHAR NOT NULL
);

ALTER TABLE credits ADD COLUMN rules_version VARCHAR;

-- one rate of a currency on a date, in units of the currency of the reports for one of its own
CREATE TABLE currency_rates (
    date DATE NOT NULL,
    currency VARCHAR NOT NULL,
    rate DOUBLE NOT NULL
);

-- one conversion as the stages work with it: times in microseconds, its value in millionths (0: it has none)
CREATE VIEW conversion_values AS
SELECT
    conversion_id,
    day,
    advertiser_id,
    event_name,
    epoch_us(event_time) AS time_us,
    CAST(CAST(coalesce(value, 0) AS DECIMAL(28, 6)) * 1000000 AS BIGINT) AS value_micros
FROM conversions;
