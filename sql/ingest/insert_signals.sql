-- purpose: store a validated batch of signals, identifiers as keyed digests
-- grain: one signal
-- reads: batch
-- parameters: $file, $inner_pad, $outer_pad
INSERT INTO signals BY NAME
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
FROM batch
