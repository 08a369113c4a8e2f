-- purpose: what activity and signals show of where and how they were made, as tokens: two sightings share
--     a token of a kind where they look alike in it; a token is null where the log does not say
-- grain: one row of activity or of signals that were given a user (source users), or of signals as they look for
--     candidates (source signals); a user is compared by what his signals show themselves, lest a signal meet in them
--     what it told them, or what they were told because another signal was looking
-- makes: sightings
-- reads: activity, signals, identified_signals, order_sights
-- parameters: none
CREATE OR REPLACE TEMP VIEW sightings AS
WITH told_signals AS (
    -- where a signal shows nothing, its order may; address, network and site come from one signal, and so do device,
    -- agent, system and version. A signal that shows neither an address nor a user agent, as without consent, is
    -- left as it is
    SELECT
        signals.day,
        signals.signal_id,
        signals.advertiser_id,
        signals.order_id,
        signals.event_time,
        signals.is_bot,
        CASE WHEN signals.device_key IS NULL THEN coalesce(order_sights.device.browser_major, signals.browser_major)
            ELSE signals.browser_major END AS browser_major,
        CASE WHEN signals.network_digest IS NULL THEN coalesce(order_sights.network.address_digest, signals.address_digest)
            ELSE signals.address_digest END AS address_digest,
        coalesce(signals.network_digest, order_sights.network.network_digest) AS network_digest,
        CASE WHEN signals.network_digest IS NULL THEN coalesce(order_sights.network.site_digest, signals.site_digest)
            ELSE signals.site_digest END AS site_digest,
        coalesce(signals.device_key, order_sights.device.device_key) AS device_key,
        CASE WHEN signals.device_key IS NULL THEN coalesce(order_sights.device.user_agent, signals.user_agent)
            ELSE signals.user_agent END AS user_agent,
        CASE WHEN signals.device_key IS NULL THEN coalesce(order_sights.device.os, signals.os)
            ELSE signals.os END AS os,
        coalesce(signals.screen, order_sights.screen.shown) AS screen,
        coalesce(signals.language, order_sights.language.shown) AS language,
        coalesce(signals.timezone, order_sights.timezone.shown) AS timezone,
        coalesce(signals.country || '/' || signals.city, order_sights.town.shown) AS town
    FROM signals
    LEFT JOIN order_sights
        ON order_sights.advertiser_id = signals.advertiser_id
        AND order_sights.order_id = signals.order_id
        AND (signals.address_digest IS NOT NULL OR signals.user_agent IS NOT NULL)
),
seen AS (
    SELECT
        'users' AS source,
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
        'users' AS source,
        signals.day,
        identified_signals.user_id,
        signals.signal_id,
        signals.advertiser_id,
        signals.order_id,
        signals.event_time,
        signals.is_bot,
        signals.browser_major,
        NULL AS email_digest,
        NULL AS phone_digest,
        signals.address_digest,
        signals.network_digest,
        signals.site_digest,
        signals.device_key,
        signals.user_agent,
        signals.os,
        signals.screen,
        signals.language,
        signals.timezone,
        signals.country || '/' || signals.city AS town
    FROM signals
    JOIN identified_signals ON identified_signals.signal_id = signals.signal_id
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
        town
    FROM told_signals
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
