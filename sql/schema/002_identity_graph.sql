-- purpose: identifiers in long form, the identity graph, and keyed digests of network addresses
-- grain: one statement a table; what a row stands for is said above each

-- one identifier that one signal carries, under each platform's recipe that gives this digest
CREATE TABLE signal_identifiers (
    day DATE NOT NULL,                -- log day of the signal
    signal_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,            -- click_id, email, phone, device_id, cookie_id, external_id
    digest UUID,                      -- null where the value was refused
    recipes VARCHAR[],                -- meta, google, tiktok, uid2; null for kinds that are not hashed
    refusal VARCHAR                   -- why the value can be nobody's or cannot be read
);

INSERT INTO signal_identifiers BY NAME
SELECT day, signal_id, kind, digest
FROM (
    SELECT day, signal_id, 'click_id' AS kind, click_digest AS digest FROM signals
    UNION ALL
    SELECT day, signal_id, 'email' AS kind, email_digest AS digest FROM signals
    UNION ALL
    SELECT day, signal_id, 'phone' AS kind, phone_digest AS digest FROM signals
    UNION ALL
    SELECT day, signal_id, 'device_id' AS kind, device_digest AS digest FROM signals
    UNION ALL
    SELECT day, signal_id, 'cookie_id' AS kind, cookie_digest AS digest FROM signals
)
WHERE digest IS NOT NULL;

ALTER TABLE signals DROP COLUMN click_digest;

ALTER TABLE signals DROP COLUMN email_digest;

ALTER TABLE signals DROP COLUMN phone_digest;

ALTER TABLE signals DROP COLUMN device_digest;

ALTER TABLE signals DROP COLUMN cookie_digest;

ALTER TABLE signals DROP COLUMN external_digest;

-- a network address is kept as digests; in clear only where the configuration asks for it
UPDATE signals SET ip = NULL;

UPDATE activity SET ip = NULL;

ALTER TABLE signals ADD COLUMN address_digest UUID;

ALTER TABLE signals ADD COLUMN network_digest UUID;  -- of the /24 (IPv4) or /64 (IPv6)

ALTER TABLE signals ADD COLUMN site_digest UUID;     -- of the /48 (IPv6)

ALTER TABLE signals ADD COLUMN network_scope VARCHAR;

ALTER TABLE activity ADD COLUMN address_digest UUID;

ALTER TABLE activity ADD COLUMN network_digest UUID;

ALTER TABLE activity ADD COLUMN site_digest UUID;

ALTER TABLE activity ADD COLUMN network_scope VARCHAR;

-- how many identifiers of one log day's activity were refused, and why
CREATE TABLE refused_identifiers (
    day DATE NOT NULL,
    table_name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    refusal VARCHAR NOT NULL,
    row_count BIGINT NOT NULL
);

-- one log day whose rows of one log (activity, touchpoints) are not in identity_links yet
CREATE TABLE unlinked_days (
    day DATE NOT NULL,
    source VARCHAR NOT NULL
);

-- one identifier of rows that were taken away or read again, whose links must be counted anew
CREATE TABLE replaced_identifiers (
    kind VARCHAR NOT NULL,
    digest UUID NOT NULL
);

-- how one kind of identifier is followed; what the matches of this warehouse were made with
CREATE TABLE identity_rules (
    kind VARCHAR NOT NULL,
    priority INTEGER NOT NULL,        -- 1 is trusted most
    ttl_days INTEGER NOT NULL,        -- a link speaks so long before its first day and after its last
    most_users INTEGER NOT NULL,      -- an identifier with more is suppressed
    most_identifiers INTEGER NOT NULL, -- of one user, kind and scope; beyond, they are suppressed
    is_unique BOOLEAN NOT NULL        -- belongs to one person by its making
);

DROP TABLE identity_links;

-- one identifier and user seen together, by source
CREATE TABLE identity_links (
    kind VARCHAR NOT NULL,
    digest UUID NOT NULL,
    user_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,          -- activity, touchpoints, signals
    scope VARCHAR NOT NULL,           -- the advertiser of an external_id, else empty
    first_day DATE NOT NULL,
    last_day DATE NOT NULL,
    observations BIGINT NOT NULL
);

INSERT INTO unlinked_days
SELECT day, 'activity' AS source FROM activity
UNION
SELECT day, 'touchpoints' AS source FROM touchpoints;

-- one identifier of one signal, and the user that its other identifiers named
CREATE TABLE signal_evidence (
    day DATE NOT NULL,                -- log day of the signal
    signal_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    digest UUID NOT NULL,
    scope VARCHAR NOT NULL,
    user_id VARCHAR NOT NULL,
    event_time TIMESTAMP NOT NULL     -- of the signal
);

-- one link of a kind that is followed, and the log days on which it speaks
CREATE VIEW speaking_links AS
SELECT
    identity_links.kind,
    identity_links.digest,
    identity_links.user_id,
    identity_links.source,
    identity_links.scope,
    identity_links.first_day - identity_rules.ttl_days AS speaks_from,
    identity_links.last_day + identity_rules.ttl_days AS speaks_until,
    identity_rules.most_users,
    identity_rules.most_identifiers
FROM identity_links
JOIN identity_rules ON identity_rules.kind = identity_links.kind;

-- one identifier in one row of activity or touchpoints
CREATE VIEW identifiers_seen AS
SELECT day, 'email' AS kind, email_digest AS digest, user_id, 'activity' AS source FROM activity
WHERE email_digest IS NOT NULL
UNION ALL
SELECT day, 'phone' AS kind, phone_digest AS digest, user_id, 'activity' AS source FROM activity
WHERE phone_digest IS NOT NULL
UNION ALL
SELECT day, 'device_id' AS kind, device_digest AS digest, user_id, 'activity' AS source FROM activity
WHERE device_digest IS NOT NULL
UNION ALL
SELECT day, 'cookie_id' AS kind, cookie_digest AS digest, user_id, 'activity' AS source FROM activity
WHERE cookie_digest IS NOT NULL
UNION ALL
SELECT day, 'click_id' AS kind, click_digest AS digest, user_id, 'touchpoints' AS source
FROM touchpoints
WHERE click_digest IS NOT NULL;

-- one change in the users that one identifier names: merged and split with one user, or shared,
-- suppressed and recovered as a whole; days to come are left out
CREATE VIEW identity_events AS
WITH today AS (
    SELECT max(day) AS day
    FROM (
        SELECT day FROM activity
        UNION ALL
        SELECT day FROM touchpoints
        UNION ALL
        SELECT day FROM signals
    )
),
spans AS (
    SELECT
        identity_links.kind,
        identity_links.digest,
        identity_links.user_id,
        min(identity_links.first_day) AS first_day,
        max(identity_links.last_day) + any_value(identity_rules.ttl_days) + 1 AS end_day
    FROM identity_links
    JOIN identity_rules ON identity_rules.kind = identity_links.kind
    GROUP BY identity_links.kind, identity_links.digest, identity_links.user_id
),
steps AS (
    SELECT kind, digest, user_id, first_day AS day, 1 AS step, 'merged' AS event FROM spans
    UNION ALL
    SELECT kind, digest, user_id, end_day AS day, -1 AS step, 'split' AS event FROM spans
),
days AS (
    SELECT kind, digest, day, sum(step) AS step FROM steps GROUP BY kind, digest, day
),
counted AS (
    SELECT
        days.kind,
        days.digest,
        days.day,
        sum(days.step) OVER (PARTITION BY days.kind, days.digest ORDER BY days.day) AS users,
        identity_rules.most_users
    FROM days
    JOIN identity_rules ON identity_rules.kind = days.kind
),
states AS (
    SELECT
        kind,
        digest,
        day,
        users,
        CASE
            WHEN users > most_users THEN 'suppressed'
            WHEN users > 1 THEN 'shared'
            WHEN users = 1 THEN 'recovered'
        END AS state
    FROM counted
),
changes AS (
    SELECT
        kind,
        digest,
        day,
        users,
        state,
        lag(state) OVER (PARTITION BY kind, digest ORDER BY day) AS state_before
    FROM states
)
SELECT day, kind, digest, event, user_id, CAST(NULL AS BIGINT) AS users
FROM steps
WHERE day <= (SELECT day FROM today)
UNION ALL
SELECT day, kind, digest, state AS event, CAST(NULL AS VARCHAR) AS user_id, CAST(users AS BIGINT) AS users
FROM changes
WHERE day <= (SELECT day FROM today)
    AND state IS DISTINCT FROM state_before
    AND (state IN ('shared', 'suppressed') OR (state = 'recovered' AND state_before IS NOT NULL));
