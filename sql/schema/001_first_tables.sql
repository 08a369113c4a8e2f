-- purpose: the tables of the first version: logs, ledgers, identities, matches, conversions, credits
-- grain: one statement a table; what a row stands for is said above each

-- one applied file of sql/schema
CREATE TABLE schema_migrations (
    version INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
);

-- one property of the whole warehouse, such as the id of its key
CREATE TABLE warehouse_settings (
    name VARCHAR NOT NULL,
    value VARCHAR NOT NULL
);

-- one stage of one run, for one day or (null) for many
CREATE TABLE runs (
    run_id VARCHAR NOT NULL,
    command VARCHAR NOT NULL,
    stage VARCHAR NOT NULL,
    day DATE,
    status VARCHAR NOT NULL,          -- running, done, failed, interrupted
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP,
    seconds DOUBLE,
    rows_in BIGINT,
    rows_out BIGINT,
    rows_rejected BIGINT,
    peak_memory_bytes BIGINT,
    adscribe_version VARCHAR NOT NULL,
    config_json VARCHAR NOT NULL,
    message VARCHAR
);

-- one row of a log that was refused, with the first rule that it broke; raw identifiers blanked
CREATE TABLE rejected_rows (
    day DATE,                         -- log day; null where the row could not be dated
    table_name VARCHAR NOT NULL,
    rule VARCHAR NOT NULL,
    source_file VARCHAR NOT NULL,
    source_row BIGINT NOT NULL,
    content VARCHAR NOT NULL
);

-- one observation of a known user; identifiers as keyed digests
CREATE TABLE activity (
    day DATE NOT NULL,
    user_id VARCHAR NOT NULL,
    event_time TIMESTAMP NOT NULL,
    ip VARCHAR,
    user_agent VARCHAR,
    screen VARCHAR,
    language VARCHAR,
    country VARCHAR,
    region VARCHAR,
    city VARCHAR,
    timezone VARCHAR,
    email_digest UUID,
    phone_digest UUID,
    device_digest UUID,
    cookie_digest UUID
);

-- one impression, engaged view or click
CREATE TABLE touchpoints (
    day DATE NOT NULL,
    touch_id VARCHAR NOT NULL,
    event_time TIMESTAMP NOT NULL,
    user_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    advertiser_id VARCHAR NOT NULL,
    campaign_id VARCHAR NOT NULL,
    ad_id VARCHAR,
    surface VARCHAR,
    creator_id VARCHAR,
    click_digest UUID,
    cost DOUBLE,
    currency VARCHAR,
    arm VARCHAR,
    source_file VARCHAR NOT NULL,
    source_row BIGINT NOT NULL
);

-- one event an advertiser sent; a signal_id stands once in the whole table
CREATE TABLE signals (
    day DATE NOT NULL,
    signal_id VARCHAR NOT NULL,
    event_time TIMESTAMP NOT NULL,
    advertiser_id VARCHAR NOT NULL,
    event_name VARCHAR NOT NULL,
    received_time TIMESTAMP,
    order_id VARCHAR,
    value DOUBLE,
    currency VARCHAR,
    adjustment VARCHAR,
    click_digest UUID,
    cookie_digest UUID,
    device_digest UUID,
    external_digest UUID,
    email_digest UUID,
    phone_digest UUID,
    ip VARCHAR,
    user_agent VARCHAR,
    screen VARCHAR,
    language VARCHAR,
    country VARCHAR,
    region VARCHAR,
    city VARCHAR,
    timezone VARCHAR,
    url VARCHAR,
    consent VARCHAR,
    source_file VARCHAR NOT NULL,
    source_row BIGINT NOT NULL
);

-- what one campaign spent on one date, as told on one log day
CREATE TABLE costs (
    day DATE NOT NULL,
    date DATE NOT NULL,
    campaign_id VARCHAR NOT NULL,
    cost DOUBLE NOT NULL,
    currency VARCHAR,
    source_file VARCHAR NOT NULL,
    source_row BIGINT NOT NULL
);

-- one identifier seen with one user, and the first log day it was
CREATE TABLE identity_links (
    kind VARCHAR NOT NULL,            -- click_id, email, phone, device_id, cookie_id, external_id
    digest UUID NOT NULL,
    user_id VARCHAR NOT NULL,
    first_day DATE NOT NULL
);

-- one candidate user of one signal
CREATE TABLE matches (
    day DATE NOT NULL,                -- log day of the signal
    signal_id VARCHAR NOT NULL,
    user_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    match_probability DOUBLE NOT NULL,
    rank INTEGER NOT NULL,
    model_version VARCHAR NOT NULL
);

-- one identifier of a signal that was not followed, and why
CREATE TABLE match_conflicts (
    day DATE NOT NULL,
    signal_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,          -- other_user, shared_identifier
    user_id VARCHAR,                  -- whom it named, where it named one
    users BIGINT NOT NULL             -- how many users it named
);

-- one signal whose matches were written and whose credit is still to follow
CREATE TABLE pending_signals (
    day DATE NOT NULL,
    signal_id VARCHAR NOT NULL
);

-- one conversion; its id is the id of its first signal
CREATE TABLE conversions (
    conversion_id VARCHAR NOT NULL,
    day DATE NOT NULL,                -- date of event_time
    advertiser_id VARCHAR NOT NULL,
    event_name VARCHAR NOT NULL,
    order_id VARCHAR,
    event_time TIMESTAMP NOT NULL,
    value DECIMAL(18, 6),             -- 0 once retracted, the newest value once restated
    currency VARCHAR,
    status VARCHAR NOT NULL           -- active, retracted, restated
);

-- what became of one signal
CREATE TABLE conversion_signals (
    day DATE NOT NULL,                -- log day of the signal
    signal_id VARCHAR NOT NULL,
    conversion_id VARCHAR,            -- null: an adjustment of an order not seen
    role VARCHAR NOT NULL,            -- first, repeat, retraction, restatement
    advertiser_id VARCHAR NOT NULL,
    event_name VARCHAR NOT NULL,
    order_id VARCHAR
);

-- one touch that may earn one conversion
CREATE TABLE path_touches (
    conversion_id VARCHAR NOT NULL,
    day DATE NOT NULL,                -- date of the conversion
    touch_id VARCHAR NOT NULL,
    touch_day DATE NOT NULL,          -- log day of the touch
    touch_time TIMESTAMP NOT NULL,
    user_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    campaign_id VARCHAR NOT NULL,
    ad_id VARCHAR,
    surface VARCHAR,
    creator_id VARCHAR
);

-- one share of one conversion under one model
CREATE TABLE credits (
    conversion_id VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,         -- touch, organic, unmatched, rejected
    user_id VARCHAR,
    touch_id VARCHAR,
    credit_micros BIGINT NOT NULL,
    value_micros BIGINT NOT NULL,
    day DATE NOT NULL,                -- date of the conversion
    campaign_id VARCHAR,
    touch_time TIMESTAMP
);

-- one conversion whose credit a later run changed
CREATE TABLE restatements (
    run_id VARCHAR NOT NULL,
    conversion_id VARCHAR NOT NULL,
    model VARCHAR NOT NULL,
    before VARCHAR,                   -- JSON list of credit rows; null: the conversion is new by now
    after VARCHAR                     -- JSON list of credit rows; null: the conversion is gone
);

-- one campaign, date, model and currency: credit, value and cost. Retracted conversions do not count;
-- the date is that of the conversions, and of the cost
CREATE VIEW campaign_days AS
WITH models AS (
    SELECT DISTINCT model FROM credits
),
billed AS (
    -- a campaign's cost of a date may be told again on a later log day: the newest counts
    SELECT date AS day, campaign_id, coalesce(currency, '') AS currency, cost
    FROM costs
    QUALIFY row_number() OVER (PARTITION BY date, campaign_id ORDER BY costs.day DESC) = 1
),
touch_costs AS (
    SELECT
        CAST(event_time AS DATE) AS day,
        campaign_id,
        coalesce(currency, '') AS currency,
        sum(cost) AS cost
    FROM (SELECT DISTINCT touch_id, event_time, campaign_id, currency, cost FROM touchpoints)
    WHERE cost IS NOT NULL
    GROUP BY ALL
),
spent AS (
    SELECT day, campaign_id, currency, cost FROM billed
    UNION ALL
    SELECT touch_costs.day, touch_costs.campaign_id, touch_costs.currency, touch_costs.cost
    FROM touch_costs
    ANTI JOIN billed
        ON billed.day = touch_costs.day AND billed.campaign_id = touch_costs.campaign_id
),
own_currency AS (
    SELECT campaign_id, min(currency) AS currency
    FROM spent
    GROUP BY campaign_id
    HAVING count(DISTINCT currency) = 1
),
earned AS (
    -- a conversion without a value has no currency either: it counts with the campaign's own
    SELECT
        credits.day,
        credits.campaign_id,
        credits.model,
        coalesce(
            conversions.currency,
            CASE WHEN conversions.value IS NULL THEN own_currency.currency END,
            ''
        ) AS currency,
        sum(credits.credit_micros) AS credit_micros,
        sum(credits.value_micros) AS value_micros
    FROM credits
    JOIN conversions ON conversions.conversion_id = credits.conversion_id
    LEFT JOIN own_currency ON own_currency.campaign_id = credits.campaign_id
    WHERE credits.outcome = 'touch' AND conversions.status <> 'retracted'
    GROUP BY ALL
),
spent_by_model AS (
    SELECT spent.day, spent.campaign_id, models.model, spent.currency, spent.cost
    FROM spent
    LEFT JOIN models ON true
)
SELECT
    day,
    campaign_id,
    model,
    nullif(currency, '') AS currency,
    round(coalesce(credit_micros, 0) / 1e6, 6) AS credit,
    round(coalesce(value_micros, 0) / 1e6, 6) AS value,
    round(cost, 6) AS cost,
    CASE WHEN cost > 0 THEN round(coalesce(value_micros, 0) / 1e6 / cost, 2) END AS return_on_ad_spend
FROM earned
FULL JOIN spent_by_model USING (day, campaign_id, model, currency);
