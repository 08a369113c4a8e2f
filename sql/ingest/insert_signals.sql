-- purpose: store a validated batch of signals, identifiers as keyed digests
-- grain: one signal; of one whose consent was denied nothing that could tell a person
-- reads: batch
-- parameters: $file, $inner_pad, $outer_pad
INSERT INTO signals BY NAME
WITH allowed AS (
    SELECT
        * EXCLUDE (
            click_id, cookie_id, device_id, external_id, email, phone, ip, user_agent, screen,
            language, region, city, timezone, url
        ),
        consent IS DISTINCT FROM 'denied' AS may,
        CASE WHEN may THEN click_id END AS click_id,
        CASE WHEN may THEN cookie_id END AS cookie_id,
        CASE WHEN may THEN device_id END AS device_id,
        CASE WHEN may THEN external_id END AS external_id,
        CASE WHEN may THEN email END AS email,
        CASE WHEN may THEN phone END AS phone,
        CASE WHEN may THEN ip END AS ip,
        CASE WHEN may THEN user_agent END AS user_agent,
        CASE WHEN may THEN screen END AS screen,
        CASE WHEN may THEN language END AS language,
        CASE WHEN may THEN region END AS region,
        CASE WHEN may THEN city END AS city,
        CASE WHEN may THEN timezone END AS timezone,
        CASE WHEN may THEN url END AS url
    FROM batch
)
SELECT
    log_day AS day,
    signal_id,
    event_time,
    advertiser_id,
    event_name,
    received_time,
    order_id,
    value,
    currency,
    adjustment,
    keyed_digest('click_id', trim(click_id), $inner_pad, $outer_pad) AS click_digest,
    keyed_digest('cookie_id', usable_id(cookie_id), $inner_pad, $outer_pad) AS cookie_digest,
    keyed_digest('device_id', usable_id(device_id), $inner_pad, $outer_pad) AS device_digest,
    keyed_digest('external_id', advertiser_id || ':' || trim(external_id), $inner_pad, $outer_pad)
        AS external_digest,
    keyed_digest('email', email_sha256(email), $inner_pad, $outer_pad) AS email_digest,
    keyed_digest('phone', phone_sha256(phone), $inner_pad, $outer_pad) AS phone_digest,
    ip,
    user_agent,
    screen,
    language,
    country,
    region,
    city,
    timezone,
    url,
    consent,
    $file AS source_file,
    source_row
FROM allowed
