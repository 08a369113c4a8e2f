-- purpose: store a validated batch of activity, identifiers as keyed digests
-- grain: one observation
-- reads: batch
-- parameters: $inner_pad, $outer_pad, $later_pads
INSERT INTO activity BY NAME
SELECT
    log_day AS day,
    user_id,
    event_time,
    ip,
    user_agent,
    screen,
    language,
    country,
    region,
    city,
    timezone,
    keyed_digest('email', email_sha256, $inner_pad, $outer_pad, $later_pads) AS email_digest,
    keyed_digest('phone', phone_sha256, $inner_pad, $outer_pad, $later_pads) AS phone_digest,
    keyed_digest('device_id', device_id, $inner_pad, $outer_pad, $later_pads) AS device_digest,
    keyed_digest('cookie_id', cookie_id, $inner_pad, $outer_pad, $later_pads) AS cookie_digest,
    keyed_digest('address', address, $inner_pad, $outer_pad, $later_pads) AS address_digest,
    keyed_digest('network', network, $inner_pad, $outer_pad, $later_pads) AS network_digest,
    keyed_digest('site', site, $inner_pad, $outer_pad, $later_pads) AS site_digest,
    network_scope,
    device_key,
    os,
    browser_major,
    is_bot
FROM batch
