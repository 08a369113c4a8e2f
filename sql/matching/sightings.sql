-- purpose: what activity and signals show of where and how they were made, as tokens: two sightings share
--     a token of a kind where they look alike in it; a token is null where the log does not say
-- grain: one row of activity (with a user_id) or of signals (with a signal_id)
-- makes: sightings
-- reads: activity, signals
-- parameters: none
CREATE OR REPLACE TEMP VIEW sightings AS
WITH seen AS (
    SELECT
        'activity' AS source,
        day,
        user_id,
        CAST(NULL AS VARCHAR) AS signal_id,
        CAST(NULL AS VARCHAR) AS advertiser_id,
        CAST(NULL AS VARCHAR) AS order_id,
        event_time,
        is_bot,
        browser_major,
        email_digest,
        phone_digest,
        address_digest,
        network_digest,
        site_digest,
        device_key,
        user_agent,
        os,
        screen,
        language,
        timezone,
        country || '/' || city AS town
    FROM activity
    UNION ALL
    SELECT
        'signals' AS source,
        day,
        NULL AS user_id,
        signal_id,
        advertiser_id,
        order_id,
        event_time,
        is_bot,
        browser_major,
        NULL AS email_digest,
        NULL AS phone_digest,
        address_digest,
        network_digest,
        site_digest,
        device_key,
        user_agent,
        os,
        screen,
        language,
        timezone,
        country || '/' || city AS town
    FROM signals
)
SELECT
    source,
    day,
    user_id,
    signal_id,
    advertiser_id,
    epoch_us(event_time) AS time_us,
    is_bot,
    browser_major,
    email_digest,
    phone_digest,
    CASE WHEN address_digest IS NOT NULL THEN hash(address_digest) END AS address,
    CASE WHEN network_digest IS NOT NULL THEN hash(network_digest) END AS network,
    CASE WHEN site_digest IS NOT NULL THEN hash(site_digest) END AS site,
    CASE WHEN device_key IS NOT NULL THEN hash(device_key) END AS device,
    CASE WHEN user_agent IS NOT NULL THEN hash(user_agent) END AS agent,
    CASE WHEN os IS NOT NULL THEN hash(os) END AS system,
    CASE WHEN os IS NOT NULL THEN hash(os IN ('iOS', 'Android')) END AS form,
    CASE WHEN os IS NOT NULL AND screen IS NOT NULL THEN hash(os, screen) END AS screen,
    CASE WHEN town IS NOT NULL THEN hash(town) END AS place,
    CASE WHEN language IS NOT NULL THEN hash(language) END AS language,
    CASE WHEN timezone IS NOT NULL THEN hash(timezone) END AS timezone,
    CASE WHEN order_id IS NOT NULL THEN hash(advertiser_id, order_id) END AS purchase,
    -- an eighth of a weekday or of a day of the weekend
    hash(
        floor(extract(hour FROM event_time) / 3)
        + CASE WHEN extract(isodow FROM event_time) > 5 THEN 8 ELSE 0 END
    ) AS week_part,
    CASE WHEN network_digest IS NOT NULL AND device_key IS NOT NULL THEN hash(network_digest, device_key) END
        AS network_device,
    CASE WHEN network_digest IS NOT NULL AND os IS NOT NULL AND screen IS NOT NULL THEN hash(network_digest, os, screen) END
        AS network_screen,
    CASE WHEN address_digest IS NOT NULL AND device_key IS NOT NULL AND screen IS NOT NULL THEN hash(address_digest, device_key, screen) END
        AS address_device,
    CASE WHEN user_agent IS NOT NULL AND screen IS NOT NULL AND town IS NOT NULL THEN hash(user_agent, screen, town) END
        AS agent_place,
    CASE WHEN device_key IS NOT NULL AND screen IS NOT NULL AND town IS NOT NULL THEN hash(device_key, screen, town) END
        AS device_place
FROM seen
